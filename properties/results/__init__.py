"""The result of a check: its verdict, and how other programs are told: JUnit, JSON, Markdown."""

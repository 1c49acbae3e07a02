"""Known findings: files that say which signatures a check passes over, where, and why."""

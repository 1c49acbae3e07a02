"""Findings as plain pytest files: SGLang's own API, torch and pytest, ready to paste into an issue.

`render` fills a template with what `statements` makes of the history, `imports` adds what the test
names, and `layout` breaks long lines. A file runs on the release that its finding is of; where a
later one is called differently and a line can bridge that, it runs there as well.
"""

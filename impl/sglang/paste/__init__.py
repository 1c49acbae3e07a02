"""Findings as plain pytest files: SGLang's own API, torch and pytest, ready to paste into an issue.

`render` fills a template with what `steps` makes of the history, `trim` leaves out what the test
does not use, and `layout` breaks long lines. A file runs on every release that `adapter` drives:
where it matters, it detects how the release is called.
"""

"""What all commands share: exit codes, and how a user's mistake is reported."""

from __future__ import annotations

CLEAN, FOUND, USAGE, CANNOT_RUN = range(4)

IN_WORDS = (
    "Exit codes: 0 nothing is wrong, 1 something was found (whatever else happened), 2 usage (also"
    " a file that cannot be read), 3 could not run, or not searched enough to say anything."
)


class UsageError(Exception):
    """A mistake of the user: what was wrong, where, and what to do."""


def of_check(found: bool, enough: bool) -> int:
    """The exit code of a check: what was found counts, however little was searched."""
    return FOUND if found else CLEAN if enough else CANNOT_RUN

"""What all commands share: exit codes, and how a user's mistake is reported."""

from __future__ import annotations

CLEAN, FOUND, USAGE, CANNOT_RUN = range(4)


class UsageError(Exception):
    """A mistake of the user: what was wrong, where, and what to do."""

"""What every command has in common: its exit codes, and how a mistake of the user is told."""

from __future__ import annotations

CLEAN, FOUND, USAGE, CANNOT_RUN = range(4)


class UsageError(Exception):
    """A mistake of the user: what was wrong, where, and what to do."""

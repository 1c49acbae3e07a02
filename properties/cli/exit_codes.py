"""What every command has in common: its exit codes, and how a mistake of the user is told."""

from __future__ import annotations

import argparse

CLEAN, FOUND, USAGE, CANNOT_RUN = range(4)


class UsageError(Exception):
    """A mistake of the user: what was wrong, where, and what to do."""


def whole(text: str) -> int:
    """A number of 0 or more, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, got {text!r}")
    return int(text)


def at_least_one(text: str) -> int:
    """A number of 1 or more, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, got {text!r}")
    return int(text)

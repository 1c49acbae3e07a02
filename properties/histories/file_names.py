"""What files are called after a system or a signature."""

from __future__ import annotations

import re


def slug(text: str) -> str:
    """A signature, or the name of a system, as written in file names: ``lock-negative``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")

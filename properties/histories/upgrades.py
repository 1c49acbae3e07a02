"""The formats that history files have had.

Every older one is still read: it is turned into the next, step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FORMAT = 2
"""The format that is written."""

Document = dict[str, Any]


def _eviction_policy_was_order(document: Document) -> Document:
    """Format 1 called the eviction policy ``order``."""
    config = document.get("config")
    if not isinstance(config, dict) or "order" not in config:
        return document
    names = {"order": "eviction_policy"}
    return {**document, "config": {names.get(name, name): config[name] for name in config}}


UPGRADES: dict[int, Callable[[Document], Document]] = {1: _eviction_policy_was_order}
"""By number: how a document of this format becomes one of the next.

It leaves what it does not understand as it is.
"""


def upgraded(document: Document, number: int) -> Document:
    """The document of format ``number`` in the format that is written now."""
    while number < FORMAT:
        document = UPGRADES[number](document)
        number += 1
    return document

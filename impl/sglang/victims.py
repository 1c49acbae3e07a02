"""A limit on the victims of one operation: some releases have evictions that never end."""

from __future__ import annotations

from typing import Any


class Endless(Exception):
    """An operation of SGLang does not end: it has tried more victims than there can be."""


class Victims:
    """Stands in front of a tree's own eviction of a device leaf, and counts.

    An eviction may legitimately return to a leaf, but only once after each other victim. So with
    ``pages`` pages on the device there are at most ``pages`` squared victims.
    """

    def __init__(self, tree: Any, pages: int) -> None:
        self._evict = tree._evict_device_leaf
        self._most = pages * pages + 1
        self._tried = 0
        tree._evict_device_leaf = self.take

    def restart(self) -> None:
        """A new operation begins."""
        self._tried = 0

    def take(self, *args: Any) -> Any:
        self._tried += 1
        if self._tried > self._most:
            raise Endless(f"{self._most} victims were tried, and the next one is due")
        return self._evict(*args)

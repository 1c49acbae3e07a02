"""Where the nodes of a core in Rust are, in releases whose core does not say it (to 0.5.21).

That follows from the names of their pages in storage, each of which has all before it in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

AHEAD = 16
"""Numbers after the last one known that are tried: SGLang gives them out in order, some of them to
roots, and to nodes that are gone again.
"""


class Info(NamedTuple):
    """A node, as later releases tell of it."""

    node_id: int
    parent_id: int
    path_start: int
    path_end: int


class Paths:
    """Stands for ``collect_path_info`` of later releases."""

    def __init__(self, core: Any, page_size: int) -> None:
        self._core = core
        self._page = page_size
        self._ending: dict[tuple[Any, str], int] = {}
        """The node that ends with a page: by its namespace, and its name."""
        self._highest = 0
        """The last node that was taken note of."""
        self._furthest = 0
        """The highest number that was asked about."""

    def __call__(self, ends: Sequence[int]) -> list[list[Info]]:
        """Per node the way down to it, without the root. Raises KeyError if a node is gone."""
        self._furthest = max(self._furthest, *ends)
        return [self._way(end) for end in ends]

    def _way(self, node: int) -> list[Info]:
        pages = len(self._core.get_hash_values(node))
        names = self._core.get_prefix_hash_values(node)
        namespace = self._core.prefetch_anchor_info(node)
        way: list[Info] = []
        while pages:
            start = len(names)
            parent, above = self._ending_with(namespace, names[-1]) if names else (0, 0)
            way.insert(0, Info(node, parent, start * self._page, (start + pages) * self._page))
            node, pages, names = parent, above, names[: start - above]
        return way

    def _ending_with(self, namespace: Any, name: str) -> tuple[int, int]:
        """The node that ends with a page, and how many it has. Where a node ends is for good; one
        that is made there later is made when it is gone.
        """
        known = self._ending.get((namespace, name))
        if known is None or self._pages_of(known) is None:
            self._learn()
            known = self._ending[namespace, name]
        pages = self._pages_of(known)
        assert pages is not None, "all above a node is there"
        return known, pages

    def _pages_of(self, node: int) -> int | None:
        """None if it is gone."""
        try:
            return len(self._core.get_hash_values(node))
        except KeyError:
            return None

    def _learn(self) -> None:
        """Take note of the nodes that were made since the last time."""
        for number in range(self._highest + 1, self._furthest + AHEAD):
            try:
                name = self._core.get_last_hash_value(number)
            except KeyError:
                continue
            self._highest = number
            if name is not None:
                self._ending[self._core.prefetch_anchor_info(number), name] = number

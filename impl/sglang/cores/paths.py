"""Where the nodes of a core in Rust are, in releases whose core does not say it (0.5.21).

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

    def __call__(self, ends: Sequence[int]) -> list[list[Info]]:
        """Per node the way down to it, without the root. Raises KeyError if a node is gone."""
        self._learn()
        return [self._way(end) for end in ends]

    def _way(self, node: int) -> list[Info]:
        pages = len(self._core.get_hash_values(node))
        names = self._core.get_prefix_hash_values(node)
        namespace = self._core.prefetch_anchor_info(node)
        way: list[Info] = []
        while pages:
            start = len(names)
            parent = self._ending[namespace, names[-1]] if names else 0
            end = start + pages
            way.insert(0, Info(node, parent, start * self._page, end * self._page))
            node, pages = parent, len(self._core.get_hash_values(parent)) if parent else 0
            names = names[: start - pages]
        return way

    def _learn(self) -> None:
        """Take note of the nodes that were made since the last time. Where a node ends is for good,
        and a later one that ends there is made when it is gone.
        """
        for number in range(self._highest + 1, self._highest + AHEAD):
            try:
                name = self._core.get_last_hash_value(number)
            except KeyError:
                continue
            self._highest = number
            if name is not None:
                self._ending[self._core.prefetch_anchor_info(number), name] = number

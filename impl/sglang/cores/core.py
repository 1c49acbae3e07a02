"""The interface of the part of a cache that has the nodes, whatever it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from radixproof.impl.observation import NodeView, PerComponent, Slots


class Core(Protocol):
    """The nodes of one cache and their lists, as plain data. Nothing here changes the cache.

    SGLang numbers nodes through the whole process. Here they get small ids, in the order in which
    they are first met, so that equal histories give equal observations.
    """

    def about(self, namespace: str, units: Sequence[Any]) -> None:
        """The next operation matches or inserts this key."""

    def depth(self, anchor: Any) -> int:
        """Tokens from the root to the end of a node, as a match names it."""

    def state(self, anchor: Any) -> int | None:
        """The device slot of the MAMBA state of a node; None if it has none."""

    def nodes(self, anew: bool) -> tuple[NodeView, ...]:
        """All nodes but the root, parents before children.

        Unless all are to be looked at ``anew``, one that consists of the same objects as before may
        be taken to be as it was.
        """

    def evictable(self) -> PerComponent: ...

    def protected(self) -> PerComponent: ...

    def leaves(self, on_host: bool) -> frozenset[int] | None:
        """Ids of the nodes that FULL eviction may take from a tier; None if that is not shown."""

    def lru_lists(self) -> tuple[Slots, Slots, Slots, Slots] | None:
        """Ids in the lists of SWA and MAMBA on the device, and of both on the host, oldest first.

        None if that is not shown.
        """

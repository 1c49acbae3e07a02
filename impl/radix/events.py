"""Events: the stream that tells a router what is cached where."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from radixproof.impl.radix.node import Node, Units


class Event(NamedTuple):
    """One message of the stream.

    ``kind`` is "stored", "removed" or "cleared". ``blocks`` are names of pages; those stored hang
    under ``parent`` (None: the root of ``namespace``), one below the other, and have ``units``.
    """

    kind: str
    on_host: bool = False
    blocks: tuple[int, ...] = ()
    parent: int | None = None
    units: Units = ()
    namespace: str = ""


class Events:
    """Names pages, and collects what is to be said about them until it is asked for.

    The name of a page, its block id, depends on its units, those before it and the namespace, and
    on nothing else: replicas and their routers agree on it. Only FULL is spoken of.
    """

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._events: list[Event] = []

    def stored(self, node: Node, on_host: bool) -> None:
        """The pages of a node can be found on a tier from now on."""
        blocks = self._blocks(node)
        assert node.parent is not None
        self._events.append(
            Event("stored", on_host, blocks, node.parent.block, node.segment, node.namespace)
        )

    def removed(self, node: Node, on_host: bool) -> None:
        """The pages of a node are no longer on a tier."""
        self._events.append(Event("removed", on_host, self._blocks(node)))

    def cleared(self) -> None:
        """Nothing is on any tier any more."""
        self._events.append(Event("cleared"))

    def drain(self) -> tuple[Event, ...]:
        """What was said since the last call."""
        events = tuple(self._events)
        self._events.clear()
        return events

    def _blocks(self, node: Node) -> tuple[int, ...]:
        """Block ids of a node's pages, in order.

        Notes the last one of each node that it works out on the way.
        """
        path = [node]
        above = node.parent
        assert above is not None
        while above.parent is not None and above.block is None:
            path.append(above)
            above = above.parent
        last = _digest(node.namespace.encode()) if above.block is None else above.block
        blocks: tuple[int, ...] = ()
        for part in reversed(path):
            blocks = _chain(last, part.segment, self._page_size)
            last = part.block = blocks[-1]
        return blocks


def _chain(last: int, segment: Units, page_size: int) -> tuple[int, ...]:
    """Block ids of the pages of ``segment``, which follow the page ``last``."""
    blocks = []
    for page in np.array(segment, dtype="<i8").reshape(len(segment) // page_size, -1):
        last = _digest(last.to_bytes(8, "little") + page.tobytes())
        blocks.append(last)
    return tuple(blocks)


def _digest(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")

"""Bugs in the use of a match after other operations: what it found has been split, or loaded back,
meanwhile. Where a match is used at once, none of them shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.locks import release_what_counts
from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted
    from radixproof.impl.radix.locks import HostReceipt, Receipt
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node

FULL = Component.FULL
LATE = "design: a match is used after other operations"


def when_named(cache: RadixCache, note: Callable[[Node, Node], None]) -> None:
    """Let something be noted of what a match, or an insert, has just named: the node on the device,
    and the best one.
    """
    match, insert = cache.match, cache.insert

    def match_and_note(tokens: Sequence[int], namespace: str = "") -> Match:
        found = match(tokens, namespace)
        note(found.device_node, found.best_node)
        return found

    def insert_and_note(*offered: Any) -> Inserted:
        inserted = insert(*offered)
        note(inserted.node, inserted.node)
        return inserted

    cache.match = match_and_note  # type: ignore[method-assign]
    cache.insert = insert_and_note  # type: ignore[method-assign, assignment]


@fault(
    LATE,
    "a split gives the name of the node to its upper half, and what a match named is locked there",
    Property.LOCK,
)
def name_goes_to_the_upper_half(cache: RadixCache) -> None:
    split, lock = cache.tree.split, cache.lock
    named: dict[Node, Node] = {}

    def split_and_name(node: Node, length: int) -> Node:
        named[node] = upper = split(node, length)
        return upper

    def note(device: Node, best: Node) -> None:
        named.pop(device, None)

    cache.tree.split = split_and_name  # type: ignore[method-assign]
    when_named(cache, note)
    cache.lock = lambda node: lock(_topmost(node, named))  # type: ignore[method-assign]


def _topmost(node: Node, named: dict[Node, Node]) -> Node:
    """Whom the name of a node belongs to; one that has gone has no name."""
    above = named.get(node)
    return node if above is None or above.parent is None else above


@fault(
    LATE,
    "a lock covers as many nodes as the match had on its path, one too few if one was split since",
    Property.LOCK,
)
def lock_as_long_as_the_match(cache: RadixCache) -> None:
    lock = cache.lock
    nodes: dict[Node, int] = {}

    def note(device: Node, best: Node) -> None:
        nodes[device] = len(_path(device))

    def lock_as_found(node: Node) -> Receipt:
        receipt = lock(node)
        path = _path(node)
        for above in path[nodes.get(node, len(path)) :]:
            cache.tree.release(above, FULL)
        return receipt

    when_named(cache, note)
    cache.lock = lock_as_found  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    LATE,
    "a load-back counts what its match found on the host only, also what has come back since",
    Property.PROGRESS,
)
def load_counts_what_the_match_found(cache: RadixCache) -> None:
    load_back = cache.load_back
    found_on_host: dict[Node, int] = {}

    def note(device: Node, best: Node) -> None:
        found_on_host[best] = sum(
            len(node.segment) for node in _path(best) if node.full.device is None
        )

    def load(node: Node, quota: int | None = None) -> int:
        found = found_on_host.get(node, 0)
        if quota is not None and found > quota:
            return 0
        tokens = load_back(node, quota)
        return max(tokens, found) if tokens else 0

    when_named(cache, note)
    cache.load_back = load  # type: ignore[method-assign]


@fault(
    LATE,
    "a load-back counts as a use of its prefix, and not only the match before it",
    Property.RECENCY,
)
def load_counts_as_use(cache: RadixCache) -> None:
    load_back = cache.load_back

    def load_and_touch(node: Node, quota: int | None = None) -> int:
        tokens = load_back(node, quota)
        for used in reversed(_path(node)):
            cache.tree.touch(used)
        return tokens

    cache.load_back = load_and_touch  # type: ignore[method-assign]


@fault(
    LATE,
    "a host lock of a prefix that has been loaded back since its match keeps no host copy",
    Property.LOCK,
)
def host_lock_of_what_was_loaded(cache: RadixCache) -> None:
    lock_host = cache.lock_host
    on_host: dict[Node, bool] = {}

    def note(device: Node, best: Node) -> None:
        on_host[best] = best.full.device is None

    def lock_what_is_needed(node: Node) -> HostReceipt:
        needless = on_host.get(node, False) and node.full.device is not None
        return lock_host(cache.tree.root if needless else node)

    when_named(cache, note)
    cache.lock_host = lock_what_is_needed  # type: ignore[method-assign]


@fault(
    LATE,
    "a lock of what was matched goes down to the node that has been hung below it since",
    Property.LOCK,
)
def lock_follows_what_has_grown(cache: RadixCache) -> None:
    lock = cache.lock
    leaves: dict[Node, bool] = {}

    def note(device: Node, best: Node) -> None:
        leaves[device] = not device.children

    def lock_lowest(node: Node) -> Receipt:
        grown = [child for child in node.children.values() if child.full.device is not None]
        return lock(grown[0] if leaves.get(node, False) and grown else node)

    when_named(cache, note)
    cache.lock = lock_lowest  # type: ignore[method-assign]


def _path(node: Node) -> list[Node]:
    """The nodes from one up to below the root."""
    path = []
    while node.parent is not None:
        path.append(node)
        node = node.parent
    return path

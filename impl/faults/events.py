"""Bugs in the events that tell what is cached where."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.backup import Backup
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.events import Event, Events
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots


def _events(cache: RadixCache) -> Events:
    assert cache.tree.events is not None
    return cache.tree.events


@fault(
    "B31, SGLang pull requests 38429 and 38486",
    "what was fetched to the host is not announced, but its removal is",
    Property.EVENT,
)
def host_insert_not_announced(cache: RadixCache) -> None:
    def in_silence(node: Node) -> int:
        return len(node.segment)

    cache.host_inserter._announce = in_silence  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38486: when to publish",
    "a backup is announced when its copy is submitted, not when it is acknowledged",
    Property.EVENT,
)
def backup_announced_early(cache: RadixCache) -> None:
    backups = cache.backups
    start = backups._start

    def announce(node: Node, lock: bool) -> bool:
        started = start(node, lock)
        if started:
            backup = backups._outstanding._entries[-1]
            if backup.full:
                _events(cache).stored(node, on_host=True)
            backup.full = False
        return started

    backups._start = announce  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38486: what to publish",
    "a backup of a window or a state announces FULL once more",
    Property.EVENT,
)
def supplement_announced(cache: RadixCache) -> None:
    backups = cache.backups
    finish = backups._finish

    def announce(backup: Backup) -> None:
        backup.full = True
        finish(backup)

    backups._finish = announce  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: what to publish",
    "a split announces both halves, as if they had just come",
    Property.EVENT,
)
def split_announced(cache: RadixCache) -> None:
    tree = cache.tree
    split = tree.split

    def announce(node: Node, length: int) -> Node:
        upper = split(node, length)
        for half in (upper, node):
            if half.full.device is not None:
                _events(cache).stored(half, on_host=False)
        return upper

    tree.split = announce  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: the order of events",
    "removals are published before what was stored in the same batch",
    Property.EVENT,
)
def removals_published_first(cache: RadixCache) -> None:
    events = _events(cache)
    drain = events.drain

    def removals_first() -> tuple[Event, ...]:
        return tuple(sorted(drain(), key=lambda event: event.kind == "stored"))

    events.drain = removals_first  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38486: the host tier",
    "removals from the host are not announced",
    Property.EVENT,
)
def host_removal_not_announced(cache: RadixCache) -> None:
    events = _events(cache)
    removed = events.removed

    def device_only(node: Node, on_host: bool) -> None:
        if not on_host:
            removed(node, on_host)

    events.removed = device_only  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: tiers",
    "a demotion announces the removal from the device as one from both tiers",
    Property.EVENT,
)
def demotion_announced_as_deletion(cache: RadixCache) -> None:
    events = _events(cache)
    removed = events.removed

    def everywhere(node: Node, on_host: bool) -> None:
        removed(node, on_host)
        if not on_host and node.backed and not node.pending:
            removed(node, on_host=True)

    events.removed = everywhere  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38486: load-backs",
    "what is loaded back is announced as if it had left the host",
    Property.EVENT,
)
def load_announced_as_a_move(cache: RadixCache) -> None:
    events = _events(cache)
    put = cache.loader._put

    def move(nodes: list[Node], component: Component, slots: Slots) -> None:
        put(nodes, component, slots)
        if component is Component.FULL:
            for node in nodes:
                events.removed(node, on_host=True)

    cache.loader._put = move  # type: ignore[method-assign]


@fault(
    "B65, SGLang issues 24568 and 24579",
    "block ids do not depend on the namespace",
    Property.EVENT,
)
def namespace_not_in_block_ids(cache: RadixCache) -> None:
    events = _events(cache)
    blocks = events._blocks

    def without_namespace(node: Node) -> tuple[int, ...]:
        namespace, node.namespace = node.namespace, ""
        found = blocks(node)
        node.namespace = namespace
        return found

    events._blocks = without_namespace  # type: ignore[method-assign]


@fault(
    "B63, SGLang pull request 35269",
    "block ids begin anew below a node whose own have not been worked out",
    Property.EVENT,
)
def chain_begins_anew(cache: RadixCache) -> None:
    events = _events(cache)
    blocks = events._blocks

    def from_here(node: Node) -> tuple[int, ...]:
        parent = node.parent
        assert parent is not None
        if parent.is_root or parent.block is not None:
            return blocks(node)
        node.parent = cache.tree.root
        found = blocks(node)
        node.parent = parent
        return found

    events._blocks = from_here  # type: ignore[method-assign]


@fault(
    "B34, SGLang pull requests 26177 and 26939",
    "the block id that is remembered for a node is handed on to its upper half by a split",
    Property.EVENT,
)
def remembered_block_id_shared(cache: RadixCache) -> None:
    tree = cache.tree
    split = tree.split

    def share(node: Node, length: int) -> Node:
        upper = split(node, length)
        upper.block = node.block
        return upper

    tree.split = share  # type: ignore[method-assign]


@fault(
    "B50, SGLang pull requests 19570 and 27655",
    "block ids are made from tokens, of which pairs that differ may share the first",
    Property.EVENT,
)
def block_ids_from_tokens(cache: RadixCache) -> None:
    _name_by(cache, lambda unit: (unit[0], 0) if isinstance(unit, tuple) else unit)


@fault(
    "family of B50, SGLang pull requests 19570 and 27655: what names a block",
    "block ids are made from the lower two bytes of tokens",
    Property.EVENT,
)
def block_ids_of_two_bytes(cache: RadixCache) -> None:
    def lower(unit: int | tuple[int, int]) -> int | tuple[int, int]:
        if isinstance(unit, tuple):
            return unit[0] % 2**16, unit[1] % 2**16
        return unit % 2**16

    _name_by(cache, lower)


def _name_by(
    cache: RadixCache, seen: Callable[[int | tuple[int, int]], int | tuple[int, int]]
) -> None:
    """Let the block ids be those of other units."""
    events = _events(cache)
    blocks = events._blocks

    def of_others(node: Node) -> tuple[int, ...]:
        path, segments = [node], [node.segment]
        while (above := path[-1].parent) is not None and not above.is_root:
            path.append(above)
            segments.append(above.segment)
        for part in path:
            part.segment = tuple(seen(unit) for unit in part.segment)  # type: ignore[assignment]
        found = blocks(node)
        for part, segment in zip(path, segments, strict=True):
            part.segment = segment
        return found

    events._blocks = of_others  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: the end",
    "a reset is not announced",
    Property.EVENT,
)
def reset_not_announced(cache: RadixCache) -> None:
    def in_silence() -> None:
        pass

    _events(cache).cleared = in_silence  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: the order of events",
    "of a node that was split while it was being backed up the lower half is announced first",
    Property.EVENT,
)
def lower_half_announced_first(cache: RadixCache) -> None:
    events, backups = _events(cache), cache.backups
    finish, stored = backups._finish, events.stored

    def from_below(backup: Backup) -> None:
        halves: list[Node] = []
        events.stored = lambda node, on_host: halves.append(node)  # type: ignore[method-assign]
        finish(backup)
        events.stored = stored  # type: ignore[method-assign]
        for half in reversed(halves):
            stored(half, on_host=True)

    backups._finish = from_below  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: what is removed",
    "of a node that is removed the last page alone is announced",
    Property.EVENT,
)
def only_the_last_page_removed(cache: RadixCache) -> None:
    events = _events(cache)
    drain = events.drain

    def last_pages() -> tuple[Event, ...]:
        return tuple(
            event._replace(blocks=event.blocks[-1:]) if event.kind == "removed" else event
            for event in drain()
        )

    events.drain = last_pages  # type: ignore[method-assign]


@fault(
    "family of B31, SGLang pull request 38429: what was said before",
    "what was said is kept, and said once more with the next events",
    Property.EVENT,
)
def events_drained_twice(cache: RadixCache) -> None:
    events = _events(cache)
    drain = events.drain
    before: list[Event] = []

    def with_those_before() -> tuple[Event, ...]:
        new = drain()
        said = (*before, *new)
        before[:] = new
        return said

    events.drain = with_those_before  # type: ignore[method-assign]

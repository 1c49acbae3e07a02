"""Bugs that take two things at once, a second occurrence, or a boundary, to show."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.acks import queues
from radixproof.impl.faults.planting import INVENTED, fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from collections.abc import Sequence

    from radixproof.impl.radix.backup import Backup
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.engine import Transfer
    from radixproof.impl.radix.loading import Plan
    from radixproof.impl.radix.locks import Receipt
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node, Units
    from radixproof.impl.radix.outstanding import Outstanding
    from radixproof.impl.radix.pools import Slots

FULL, SWA, MAMBA = COMPONENTS


@fault(
    INVENTED,
    "the slots of a path are remembered with its last node until FULL leaves the device or a node "
    "is split, but not until an insert exchanges some of them for a tombstone's SWA",
    Property.CONTENT,
)
def exchanged_slots_still_remembered(cache: RadixCache) -> None:
    tree, match = cache.tree, cache.match
    split, take, reset = tree.split, tree.take_device, tree.reset
    remembered: dict[Node, Slots] = {}

    def match_and_remember(tokens: Sequence[int], namespace: str = "") -> Match:
        found = match(tokens, namespace)
        slots = remembered.setdefault(found.device_node, found.slots)
        return found._replace(slots=slots)

    def split_and_forget(node: Node, length: int) -> Node:
        remembered.clear()
        return split(node, length)

    def take_and_forget(node: Node, component: Component) -> Slots:
        if component is FULL:
            remembered.clear()
        return take(node, component)

    def reset_and_forget() -> None:
        remembered.clear()
        reset()

    cache.match = match_and_remember  # type: ignore[method-assign]
    tree.split = split_and_forget  # type: ignore[method-assign]
    tree.take_device = take_and_forget  # type: ignore[method-assign]
    tree.reset = reset_and_forget  # type: ignore[method-assign]


@fault(
    INVENTED,
    "where a key leaves a node is bisected by single pages, so that a page that agrees again hides "
    "those before it that do not",
    Property.MATCH,
)
def fork_bisected_by_single_pages(cache: RadixCache) -> None:
    tree = cache.tree

    def shared(segment: Units, units: Units, offset: int) -> int:
        size = tree.page_size
        low, high = 1, min(len(segment), len(units) - offset) // size
        while low < high:
            middle = (low + high + 1) // 2
            page = slice((middle - 1) * size, middle * size)
            if segment[page] == units[offset:][page]:
                low = middle
            else:
                high = middle - 1
        return low * size

    def step(node: Node, namespace: str, units: Units, offset: int) -> Node | None:
        first = units[offset : offset + tree.page_size]
        child = node.children.get(tree.edge(node, namespace, first))
        if child is None:
            return None
        length = shared(child.segment, units, offset)
        return child if length == len(child.segment) else tree.split(child, length)

    tree.step = step  # type: ignore[method-assign]


@fault(
    INVENTED,
    "an early release removes the mark where the window ends, also where another lock of the same "
    "extent needs it",
    Property.NOCRASH,
)
def early_release_removes_the_mark(cache: RadixCache) -> None:
    from radixproof.impl.radix.node import Edge

    locks, release = cache.locks, cache.locks.release_window

    def release_with_mark(receipt: Receipt) -> list[Node]:
        nodes = release(receipt)
        for node in nodes:
            if receipt.edge is not None and node.edges[Edge.WINDOW] is receipt.edge:
                node.edges[Edge.WINDOW] = None
        return nodes

    locks.release_window = release_with_mark  # type: ignore[method-assign]


@fault(
    INVENTED,
    "an early release leaves a window where it is if anything hangs below, also on the host only",
    Property.MATCH,
)
def released_window_stays_above_host_children(cache: RadixCache) -> None:
    evictor = cache.device_evictor

    def drop(nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.swa.device is not None and not node.swa.locks and not node.children:
                evictor._make_tombstone(node, SWA, [0, 0, 0])

    evictor.drop_windows = drop  # type: ignore[method-assign]


@fault(
    INVENTED,
    "namespaces that differ in upper and lower case only share what is cached",
    Property.MATCH,
)
def namespaces_fold_case(cache: RadixCache) -> None:
    _take_for(cache, str.casefold)


def _take_for(cache: RadixCache, another: Callable[[str], str]) -> None:
    """A namespace is taken for another one in the tree."""
    edge = cache.tree.edge

    def taken(parent: Node, namespace: str, segment: Units) -> Hashable:
        return edge(parent, another(namespace), segment)

    cache.tree.edge = taken  # type: ignore[method-assign]


@fault(
    INVENTED,
    "namespaces that are alike in their first eight characters share what is cached",
    Property.MATCH,
)
def namespaces_cut_short(cache: RadixCache) -> None:
    _take_for(cache, lambda namespace: namespace[:8])


@fault(
    INVENTED,
    "hits are counted in three bits: after seven there are no more",
    Property.RECENCY,
)
def hits_of_three_bits(cache: RadixCache) -> None:
    backups, hit = cache.backups, cache.backups.hit

    def hit_to_seven(node: Node) -> None:
        hit(node)
        node.hits = min(node.hits, 7)

    backups.hit = hit_to_seven  # type: ignore[method-assign]


@fault(
    INVENTED,
    "what the host is short of is settled before any room is made: what the leaves that go for "
    "FULL free of windows and states is not taken into account",
    Property.PROGRESS,
)
def host_shortage_not_counted_again(cache: RadixCache) -> None:
    evictor, host = cache.host_evictor, cache.memory.host
    make_room, evict = evictor.make_room, evictor.evict

    def make_all_room(wanted: dict[Component, int]) -> bool:
        short = {part: size - host[part].available for part, size in wanted.items()}

        def evict_as_settled(size: int, component: Component) -> int:
            return evict(max(size, short.pop(component)), component)

        evictor.evict = evict_as_settled  # type: ignore[method-assign, assignment]
        try:
            if not make_room(wanted):
                return False
        finally:
            evictor.evict = evict  # type: ignore[method-assign]
        for component, size in short.items():
            if size > 0:
                evict(size, component)
        return True

    evictor.make_room = make_all_room  # type: ignore[method-assign]


@fault(
    INVENTED,
    "a copy that failed is made again of the node as it is now: of one that was split meanwhile "
    "the upper half is left out",
    Property.CONTENT,
)
def failed_copy_made_of_what_is_left(cache: RadixCache) -> None:
    from radixproof.impl.radix.engine import Transfer

    outstanding = cache.backups._outstanding
    engine, pools = outstanding._engine, cache.memory.device_pools

    def as_it_is(backup: Backup) -> list[Transfer]:
        node = backup.fragments[0]
        transfers = []
        for transfer in backup.copy.transfers:
            component = next(part for part in pools if pools[part] is transfer.source)
            source, target = node.states[component].device, node.states[component].host
            if source is None or target is None:
                transfers.append(transfer)
            else:
                transfers.append(Transfer(transfer.source, source, transfer.target, target))
        return transfers

    def repeat() -> None:
        ahead = outstanding._ahead
        for _ in range(len(ahead)):
            if not (ahead[0].copy.done or ahead[0].copy.failed):
                return
            backup = ahead.popleft()
            if backup.copy.failed:
                backup.copy = engine.submit(as_it_is(backup))
                ahead.append(backup)

    outstanding._repeat = repeat  # type: ignore[method-assign]


@fault(
    INVENTED,
    "a leaf that cannot be written back takes its children on the host along, and not what hangs "
    "below these",
    Property.OWN_H,
)
def grandchildren_left_behind(cache: RadixCache) -> None:
    evictor, delete = cache.device_evictor, cache.device_evictor._delete

    def delete_children_only(node: Node, freed: list[int]) -> None:
        parent = node.parent
        assert parent is not None
        if node.full.device is None and parent.full.device is None:
            return  # not a child of the leaf that goes
        node.children.clear()
        delete(node, freed)

    evictor._delete = delete_children_only  # type: ignore[method-assign, assignment]


@fault(
    INVENTED,
    "whether a state is still being loaded is asked of the oldest load-back of its node, which may "
    "bring FULL alone",
    Property.CONTENT,
)
def arrival_asked_of_the_oldest_load(cache: RadixCache) -> None:
    copy_state = cache.copy_state

    def copy(node: Node) -> int | None:
        loads = node.loads
        node.loads = loads[:1]
        try:
            return copy_state(node)
        finally:
            node.loads = loads

    cache.copy_state = copy  # type: ignore[method-assign]


@fault(
    INVENTED,
    "a reset forgets copies that are queued, but not those that have failed and are to be made "
    "again",
    Property.CONTENT,
)
def failed_copies_survive_reset(cache: RadixCache) -> None:
    for outstanding in queues(cache):
        _keep_failed(outstanding)


def _keep_failed(outstanding: Outstanding[Any]) -> None:
    clear = outstanding.clear

    def clear_but_failed() -> None:
        outstanding._engine.poll()
        failed = [entry for entry in outstanding._ahead if entry.copy.failed]
        clear()
        outstanding._ahead.extend(failed)

    outstanding.clear = clear_but_failed  # type: ignore[method-assign]


@fault(
    INVENTED,
    "whether a node on the path may take what was fetched is asked of its parent as it was before: "
    "of two in a row without a copy the upper one takes its part alone",
    Property.PROGRESS,
)
def one_refill_in_a_row(cache: RadixCache) -> None:
    inserter = cache.host_inserter
    insert, refill = inserter.insert, inserter._refill
    refilled: set[Node] = set()

    def insert_afresh(*offered: Any) -> int:
        refilled.clear()
        return insert(*offered)

    def refill_first(node: Node, slots: Slots) -> int:
        if node.parent in refilled:
            return inserter._free(slots)
        taken = refill(node, slots)
        if taken:
            refilled.add(node)
        return taken

    inserter.insert = insert_afresh  # type: ignore[method-assign, assignment]
    inserter._refill = refill_first  # type: ignore[method-assign]


@fault(
    INVENTED,
    "a rank tells the others how many of its copies are done, also of those behind one that failed",
    Property.RANK,
)
def done_behind_a_failed_copy_told(cache: RadixCache) -> None:
    for part in (cache.backups, cache.loader):
        _count_all(part)


def _count_all(part: Any) -> None:
    outstanding = part._outstanding

    def count() -> int:
        outstanding._engine.poll()
        return sum(entry.copy.done for entry in outstanding._entries)

    part.copied = count


@fault(
    INVENTED,
    "once the host has refused a backup it counts as full until something is freed there, though "
    "a refusal may be over before, and a lock given back",
    Property.PROGRESS,
)
def host_called_full_until_freed(cache: RadixCache) -> None:
    backups, allocate, clear = cache.backups, cache.backups._allocate, cache.backups.clear
    full = False

    def allocate_unless_full(need: dict[Component, int]) -> dict[Component, Slots] | None:
        nonlocal full
        if full:
            return None
        slots = allocate(need)
        full = slots is None
        return slots

    def no_longer_full() -> None:
        nonlocal full
        full = False

    def clear_and_empty() -> None:
        no_longer_full()
        clear()

    backups._allocate = allocate_unless_full  # type: ignore[method-assign]
    backups.clear = clear_and_empty  # type: ignore[method-assign]
    for allocator in cache.memory.host.values():
        _when_freed(allocator, no_longer_full)


def _when_freed(allocator: Any, then: Any) -> None:
    free = allocator.free

    def free_and_tell(slots: Slots) -> None:
        free(slots)
        then()

    allocator.free = free_and_tell


@fault(
    INVENTED,
    "a load-back passes over the windows of nodes that another one is bringing, which may bring "
    "their FULL alone",
    Property.PROGRESS,
)
def window_of_what_is_being_loaded_left(cache: RadixCache) -> None:
    loader, plan_of = cache.loader, cache.loader._plan

    def plan(anchor: Node) -> Plan:
        found = plan_of(anchor)
        if SWA in found:
            found[SWA] = [node for node in found[SWA] if not node.loading]
        return {component: nodes for component, nodes in found.items() if nodes}

    loader._plan = plan  # type: ignore[method-assign]

"""Every property that a single step shows, seen to fire: the system does or says one wrong thing, and the judge names it.

Each case is run twice: on deltas alone, and with the whole state inspected after every step. The judge must say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from radixproof.impl.radix.cache import RadixCache
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.system import RadixSystem
from radixproof.impl.system import Lookup
from radixproof.model.config import Component, Config, Pool
from radixproof.model.observation import NodeView, Observation
from radixproof.model.operations import Evict, EvictHost, Insert, Key, Lock, Match, Operation, RunCopies, Unlock, WritingCheck
from radixproof.model.verdict import Property

FULL, SWA = Component
DELTAS, WHOLE = 10**9, 1
PLAIN = Config()
WINDOWED = Config(window=2, swa_pages=8, swa_host_pages=16)

A, B, AB, ABC = Key((1,)), Key((2,)), Key((1, 2)), Key((1, 2, 3))
SETTLE = WritingCheck(blocking=True)


def words(value: object) -> str:
    """Part of the name of a case."""
    match value:
        case Config():
            return "swa" if value.window else "full"
        case list():
            return "; ".join(map(str, value))
        case str() | int():
            return str(value)
        case _:
            return getattr(value, "__qualname__", str(value)).split(".")[0]


Deed = Callable[[RadixSystem], Callable[[Observation], Observation] | None]
FirstBreach = Callable[[Config, Sequence[Operation], Deed, int, int], str | None]


@pytest.fixture(params=[DELTAS, WHOLE], ids=["deltas", "whole"])
def signature_of(first_breach: FirstBreach, request: pytest.FixtureRequest) -> Callable[..., str | None]:
    """The first breach when ``deed`` is done just after step number ``after`` (0: before all), seen by deltas or as a whole."""

    def look(config: Config, operations: Sequence[Operation], deed: Deed, after: int = 0) -> str | None:
        return first_breach(config, operations, deed, after, request.param)

    return look


# -- how to misbehave ----------------------------------------------------------------------------------------------------------


def cache_of(system: RadixSystem) -> RadixCache:
    return system.cache


def node_of(system: RadixSystem, *segment: int) -> Node:
    """The node with that segment."""
    return next(node for node in cache_of(system).tree.nodes() if node.segment == segment)


def instead(method: str, substitute: Callable[..., Any]) -> Deed:
    """``method`` of the system is replaced; the substitute is given the original first."""

    def deed(system: RadixSystem) -> None:
        original = getattr(system, method)
        setattr(system, method, lambda *arguments: substitute(original, *arguments))

    return deed


def off_by_one(method: str) -> Deed:
    return instead(method, lambda original, *arguments: original(*arguments) + 1)


def lie(**changes: Callable[[Any], Any]) -> Deed:
    """Fields of every observation are told otherwise from now on."""

    def told(seen: Observation) -> Observation:
        return replace(seen, **{name: change(getattr(seen, name)) for name, change in changes.items()})

    return lambda _: told


def lie_about(segment: tuple[int, ...], change: Callable[[NodeView], NodeView]) -> Deed:
    """The node with that segment is shown otherwise from now on."""
    return lie(nodes=lambda nodes: tuple(change(view) if view.segment == segment else view for view in nodes))


def with_slots(view: NodeView, pool: Pool, slots: tuple[int, ...] | None) -> NodeView:
    return view._replace(slots=tuple(slots if at is pool else known for at, known in zip(Pool, view.slots, strict=True)))


def move_device(component: Component, *segment: int) -> Deed:
    """The device slots of a node are freed, and others take their place. The bytes go with them."""

    def deed(system: RadixSystem) -> None:
        cache, node = cache_of(system), node_of(system, *segment)
        new = cache.memory.device.allocate(len(segment))
        assert new is not None
        if component is SWA:
            spare, new = new, cache.memory.device.peers(new)
            assert node.full.device is not None
            cache.memory.device.swa_of[spare] = cache.memory.device.swa_of[node.full.device]
            cache.memory.device.swa_of[node.full.device] = new
        pool = cache.memory.pools[Pool(component)]
        old = cache.tree.swap_device(node, component, new)
        pool.scatter(new, pool.gather(old))
        cache.memory.device.free(old if component is FULL else spare)

    return deed


def move_host(*segment: int) -> Deed:
    """The host slots of a node are freed, and others take their place."""

    def deed(system: RadixSystem) -> None:
        cache, node = cache_of(system), node_of(system, *segment)
        host, pool = cache.memory.host[FULL], cache.memory.pools[Pool.FULL_HOST]
        new, old = host.alloc(len(segment)), node.full.host
        assert new is not None
        assert old is not None
        pool.scatter(new, pool.gather(old))
        node.full.host = new
        host.free(old)
        cache.tree.changed(node)

    return deed


def drop_device(component: Component, *segment: int) -> Deed:
    """A node loses its device slots of one component."""

    def deed(system: RadixSystem) -> None:
        cache, node = cache_of(system), node_of(system, *segment)
        full = node.full.device
        assert full is not None
        cache.tree.take_device(node, component)
        cache.memory.device.free(full) if component is FULL else cache.memory.device.free_swa(full)

    return deed


def drop_host(*segment: int) -> Deed:
    """A node loses its FULL host copy."""

    def deed(system: RadixSystem) -> None:
        node = node_of(system, *segment)
        cache_of(system).memory.host[FULL].free(cache_of(system).tree.take_host(node, FULL))
        if node.full.device is None:
            cache_of(system).tree.unlink(node)

    return deed


def change_lock(component: Component, by: int, *segment: int) -> Deed:
    """A node is locked once more, or once less, than it should be."""

    def deed(system: RadixSystem) -> None:
        change = cache_of(system).tree.hold if by > 0 else cache_of(system).tree.release
        change(node_of(system, *segment), component)

    return deed


def lose_page(pool: Pool) -> Deed:
    """A free page is forgotten."""

    def deed(system: RadixSystem) -> None:
        allocator = cache_of(system).memory.allocator(pool)
        assert allocator is not None
        assert allocator.alloc(allocator.page_size) is not None

    return deed


def find_page(pool: Pool) -> Deed:
    """A page in use is free, too: the first one, which the tree has."""

    def deed(system: RadixSystem) -> None:
        allocator = cache_of(system).memory.allocator(pool)
        assert allocator is not None
        allocator.free(np.arange(1, 1 + allocator.page_size))

    return deed


def scribble(pool: Pool, *segment: int, tag: int | None = None) -> Deed:
    """Other bytes than a node's are in its slots: those of the prefix ``tag``, or torn ones."""

    def deed(system: RadixSystem) -> None:
        kv_pool = cache_of(system).memory.pools[pool]
        state = node_of(system, *segment).states[pool.component]
        slots = state.host if pool.on_host else state.device
        assert slots is not None
        if tag is None:
            kv_pool.kv[0, 0, int(slots[0])] += 1
        else:
            kv_pool.scatter(slots, kv_pool.gather(system_slot_of(system, pool, tag)))

    return deed


def system_slot_of(system: RadixSystem, pool: Pool, tag: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    allocator = cache_of(system).memory.allocator(pool)
    assert allocator is not None
    every = list(range(1, 1 + allocator.pages * allocator.page_size))
    return np.array([slot for slot, found in zip(every, system.read(pool, every), strict=True) if found == tag][:1])


# -- the properties ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "config", "deed"),
    [
        ("full-lost", PLAIN, lose_page(Pool.FULL)),
        ("full-too-many", PLAIN, find_page(Pool.FULL)),
        ("swa-lost", WINDOWED, lose_page(Pool.SWA)),
        ("swa-too-many", WINDOWED, find_page(Pool.SWA)),
        ("owned-twice", PLAIN, lie_about((2,), lambda view: with_slots(view, Pool.FULL, (1,)))),
        ("owned-twice", WINDOWED, lie_about((2,), lambda view: with_slots(view, Pool.SWA, (1,)))),
    ],
    ids=words,
)
def test_own(signature_of: Callable[..., str | None], rule: str, config: Config, deed: Deed) -> None:
    assert signature_of(config, [Insert(A), Insert(B)], deed, after=2) == f"OWN/{rule}"


@pytest.mark.parametrize(
    ("rule", "config", "deed"),
    [
        ("full_host-lost", PLAIN, lose_page(Pool.FULL_HOST)),
        ("full_host-too-many", PLAIN, find_page(Pool.FULL_HOST)),
        ("swa_host-lost", WINDOWED, lose_page(Pool.SWA_HOST)),
        ("swa_host-too-many", WINDOWED, find_page(Pool.SWA_HOST)),
        ("owned-twice", PLAIN, lie_about((2,), lambda view: with_slots(view, Pool.FULL_HOST, (1,)))),
    ],
    ids=words,
)
def test_own_h(signature_of: Callable[..., str | None], rule: str, config: Config, deed: Deed) -> None:
    assert signature_of(config, [Insert(A), Insert(B)], deed, after=2) == f"OWN-H/{rule}"


def swap_map_entries(system: RadixSystem) -> None:
    swa_of = cache_of(system).memory.device.swa_of
    swa_of[[1, 2]] = swa_of[[2, 1]]


def leave_map_entry(system: RadixSystem) -> None:
    """A tombstone's FULL slots still lead to a SWA slot."""
    slots = node_of(system, 1).full.device
    assert slots is not None
    cache_of(system).memory.device.swa_of[slots] = 8


@pytest.mark.parametrize(
    ("rule", "operations", "deed"),
    [
        ("entry", [Insert(AB)], swap_map_entries),
        ("stale", [Insert(AB, evicted=1)], leave_map_entry),
    ],
    ids=words,
)
def test_map(signature_of: Callable[..., str | None], rule: str, operations: list[Operation], deed: Deed) -> None:
    assert signature_of(WINDOWED, operations, deed, after=1) == f"MAP/{rule}"


def bytes_stay_behind(system: RadixSystem) -> None:
    """Backups are reported as performed, and no byte moves."""
    cache_of(system).memory.pools[Pool.FULL_HOST].scatter = lambda slots, kv: None  # type: ignore[method-assign]


def serve_other_slots(original: Callable[[Key], Any], key: Key) -> Any:
    found = original(key)
    return found._replace(slots=found.slots[::-1])


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("full", PLAIN, [Insert(A), Insert(B)], scribble(Pool.FULL, 2), 2),
        ("full", PLAIN, [Insert(A), Insert(B)], scribble(Pool.FULL, 2, tag=1), 2),
        ("swa", WINDOWED, [Insert(A)], scribble(Pool.SWA, 1), 1),
        ("full_host", PLAIN, [Insert(A), RunCopies()], bytes_stay_behind, 0),
        ("full_host", PLAIN, [Insert(A), SETTLE], bytes_stay_behind, 0),
        ("swa_host", WINDOWED, [Insert(A), SETTLE], scribble(Pool.SWA_HOST, 1), 2),
        ("served", PLAIN, [Insert(AB), Match(AB)], instead("match", serve_other_slots), 0),
        ("served", PLAIN, [Insert(AB), Lock("r1", AB)], instead("match", serve_other_slots), 0),
    ],
    ids=words,
)
def test_content(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"CONTENT/{rule}"


def evict_locked(component: Component) -> Deed:
    """An eviction takes what is locked, and says nothing of it."""

    def substitute(original: Callable[[int, int], Any], system: RadixSystem) -> tuple[int, int]:
        drop_device(component, 1)(system)
        return (0, 0)

    return lambda system: instead("evict", lambda original, full, swa: substitute(original, system))(system)


@pytest.mark.parametrize(
    ("rule", "config", "last", "deed", "after"),
    [
        ("full-evicted", PLAIN, Evict(1), evict_locked(FULL), 0),
        ("swa-evicted", WINDOWED, Evict(0, 1), evict_locked(SWA), 0),
        ("full-replaced", PLAIN, Insert(B), move_device(FULL, 1), 4),
        ("full-replaced", PLAIN, Evict(1), move_device(FULL, 1), 4),
        ("swa-replaced", WINDOWED, Insert(B), move_device(SWA, 1), 4),
    ],
    ids=words,
)
def test_pin_of_locked(
    signature_of: Callable[..., str | None], rule: str, config: Config, last: Operation, deed: Deed, after: int
) -> None:
    assert signature_of(config, [Insert(A), SETTLE, Lock("r1", A), last], deed, after) == f"PIN/{rule}"


@pytest.mark.parametrize(
    ("rule", "operations", "deed"),
    [
        ("target-freed", [Insert(A), Insert(B)], move_host(1)),
        ("target-freed", [Insert(A), EvictHost(1)], move_host(1)),
        ("full-replaced", [Insert(A), Insert(B)], move_device(FULL, 1)),
    ],
    ids=words,
)
def test_pin_of_copies_in_flight(
    signature_of: Callable[..., str | None], rule: str, operations: list[Operation], deed: Deed
) -> None:
    assert signature_of(PLAIN, operations, deed, after=2) == f"PIN/{rule}"


def start_backup(*segment: int) -> Deed:
    return lambda system: cache_of(system).backups.back_up(node_of(system, *segment)) and None


def back_up_without_parent(system: RadixSystem) -> None:
    """A backup starts with the node that was hit, not with its ancestors; nodes that are not leaves are not hit."""
    backups = cache_of(system).backups
    hit = backups.hit
    backups.hit = lambda node: None if node.children else hit(node)  # type: ignore[method-assign]
    backups.back_up = backups._start  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("early", Config(threshold=2), [Insert(A)], start_backup(1), 1),
        ("full_host-unexpected", Config(threshold=2), [Insert(A), Insert(B), Evict(1)], start_backup(2), 3),
        ("parent-missing", WINDOWED, [Insert(AB, evicted=1)], back_up_without_parent, 0),
    ],
    ids=words,
)
def test_backup(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"BACKUP/{rule}"


def leave_dead_node(system: RadixSystem) -> None:
    """An eviction empties a node, and leaves it in the tree."""
    cache_of(system).tree.unlink = lambda node: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("malformed-node", PLAIN, [Insert(AB)], lie_about((1, 2), lambda view: view._replace(segment=(1,))), 1),
        ("malformed-node", PLAIN, [Insert(AB)], lie_about((1, 2), lambda view: view._replace(segment=())), 1),
        ("malformed-node", PLAIN, [Insert(AB)], lie_about((1, 2), lambda view: view._replace(parent=99)), 1),
        ("malformed-node", PLAIN, [Insert(AB)], lie_about((1, 2), lambda view: with_slots(view, Pool.FULL_HOST, (1,))), 1),
        (
            "malformed-node",
            Config(page_size=2),
            [Insert(AB)],
            lie_about((1, 2), lambda view: view._replace(segment=(1, 2, 3))),
            1,
        ),
        ("dead-node", Config(threshold=2), [Insert(A), Evict(1)], leave_dead_node, 0),
    ],
    ids=words,
)
def test_devpath(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"DEVPATH/{rule}"


def test_devpath_when_a_parent_leaves_before_its_child(
    tampered: Callable[[Deed, int], Any], breaches_of: Callable[..., list[Any]]
) -> None:
    """The lost page is reported first; that the path is broken is said in the same step."""
    operations = [Insert(A), Insert(AB), SETTLE, EvictHost(1)]
    breaches = breaches_of(tampered(drop_device(FULL, 1), 4), PLAIN, operations, DELTAS)
    assert [breach.signature for breach in breaches][:2] == ["PROGRESS/full-lost", "DEVPATH/parent-missing"]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed"),
    [
        ("full-too-many", PLAIN, [Lock("r1", AB)], change_lock(FULL, +1, 1, 2)),
        ("full-too-few", PLAIN, [Lock("r1", AB)], change_lock(FULL, -1, 1, 2)),
        ("full-too-many", PLAIN, [Lock("r1", AB), Unlock("r1")], change_lock(FULL, +1, 1, 2)),
        ("full-too-few", PLAIN, [Lock("r1", AB), Lock("r2", AB), Unlock("r1")], change_lock(FULL, -1, 1, 2)),
        ("full-too-few", PLAIN, [Lock("r1", AB), Match(A)], change_lock(FULL, -1, 1)),
        ("full-too-many", PLAIN, [Match(A)], change_lock(FULL, +1, 1)),
        ("swa-too-many", WINDOWED, [Lock("r1", AB)], change_lock(SWA, +1, 1, 2)),
        ("swa-too-few", WINDOWED, [Lock("r1", AB)], change_lock(SWA, -1, 1, 2)),
        ("swa-too-many", WINDOWED, [Lock("r1", AB), Unlock("r1")], change_lock(SWA, +1, 1, 2)),
    ],
    ids=words,
)
def test_lock(signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed) -> None:
    before = [Insert(AB), SETTLE]
    assert signature_of(config, before + operations, deed, after=len(before) + len(operations)) == f"LOCK/{rule}"


def leave_leaf_whole(system: RadixSystem) -> None:
    """A new leaf is not cut to one window, so that a lock on it will cover more."""
    cache_of(system).inserter._window = 99


def test_lock_of_more_than_a_window(signature_of: Callable[..., str | None]) -> None:
    assert signature_of(WINDOWED, [Insert(ABC)], leave_leaf_whole) == "MATCH/not-cut"


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("full", PLAIN, [Insert(A)], lie(evictable=lambda sizes: (sizes[0] + 1, sizes[1])), 1),
        ("full", PLAIN, [Insert(A)], lie(protected=lambda sizes: (sizes[0] - 1, sizes[1])), 1),
        ("swa", WINDOWED, [Insert(A)], lie(evictable=lambda sizes: (sizes[0], sizes[1] + 1)), 1),
        (
            "evict-outcome",
            PLAIN,
            [Insert(A), SETTLE, Evict(1)],
            instead("evict", lambda original, full, swa: (original(full, swa)[0] + 1, 0)),
            0,
        ),
    ],
    ids=words,
)
def test_size(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"SIZE/{rule}"


def newest_first(system: RadixSystem) -> None:
    """Ages are compared the wrong way round."""
    for node in cache_of(system).tree.nodes():
        node.accessed = -node.accessed


def renew_swa(*segment: int) -> Deed:
    return lambda system: cache_of(system).tree.swa_order.renew(node_of(system, *segment))


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("access-time", PLAIN, [Insert(A), Insert(B), SETTLE, Evict(1)], newest_first, 3),
        ("access-time", PLAIN, [Insert(A), Insert(B), Match(A), SETTLE, Evict(1)], newest_first, 4),
        ("access-time", PLAIN, [Insert(A), Insert(B), SETTLE, Evict(2), EvictHost(1)], newest_first, 4),
        ("swa-list", WINDOWED, [Insert(A), Insert(B), SETTLE, Evict(0, 1)], renew_swa(1), 3),
    ],
    ids=words,
)
def test_recency(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"RECENCY/{rule}"


def nothing(count: Any) -> Callable[..., Any]:
    return lambda original, *arguments: count


def make_too_much_room(system: RadixSystem) -> None:
    """A backup has one page more evicted on the host than it needs."""
    evictor = cache_of(system).backups._evictor
    evict_host = evictor.evict_host
    evictor.evict_host = lambda tokens, component: evict_host(tokens + 1, component)  # type: ignore[method-assign]


def keep_host_leaf(system: RadixSystem) -> None:
    """A host leaf loses its SWA and stays, although nothing of it can be served any more."""
    cache = cache_of(system)

    def evict_host(tokens: int, component: Component) -> int:
        slots = cache.tree.take_host(node_of(system, 1), component)
        cache.memory.host[component].free(slots)
        return len(slots)

    system.evict_host = evict_host  # type: ignore[method-assign]


def refuse_second(system: RadixSystem) -> None:
    """Only the first allocation is granted."""
    allocate, granted = system.allocate, iter((True,))
    system.allocate = lambda tokens: allocate(tokens) if next(granted, False) else None  # type: ignore[method-assign]


def never_back_up(system: RadixSystem) -> None:
    cache_of(system).backups.hit = lambda node: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("stopped-early", PLAIN, [Insert(A), SETTLE, Evict(1)], instead("evict", nothing((0, 0))), 0),
        (
            "stopped-early",
            PLAIN,
            [Insert(A), Insert(B), SETTLE, Evict(2)],
            instead("evict", lambda original, full, swa: original(full - 1, swa)),
            0,
        ),
        ("stopped-early", WINDOWED, [Insert(A), Insert(B), SETTLE, Evict(0, 1)], instead("evict", nothing((0, 0))), 0),
        (
            "freed-too-much",
            PLAIN,
            [Insert(A), Insert(B), SETTLE, Evict(1)],
            instead("evict", lambda original, full, swa: original(full + 1, swa)),
            0,
        ),
        ("never-backed-up", PLAIN, [Insert(A), SETTLE, Evict(1)], never_back_up, 0),
        ("full_host-lost", PLAIN, [Insert(A), SETTLE, Evict(1)], drop_host(1), 3),
        ("full-lost", PLAIN, [Insert(A), SETTLE, EvictHost(1)], drop_device(FULL, 1), 3),
        ("swa-lost", WINDOWED, [Insert(A), SETTLE, EvictHost(1)], drop_device(SWA, 1), 3),
        ("host-stopped-early", PLAIN, [Insert(A), SETTLE, Evict(1), EvictHost(1)], instead("evict_host", nothing(0)), 0),
        (
            "host-freed-too-much",
            PLAIN,
            [Insert(A), Insert(B), SETTLE, Evict(2), EvictHost(1)],
            instead("evict_host", lambda original, tokens, component: original(tokens + 1, component)),
            0,
        ),
        (
            "host-freed-too-much",
            Config(host_pages=2),
            [Insert(A), Insert(B), SETTLE, Evict(2), Insert(Key((3,)))],
            make_too_much_room,
            0,
        ),
        ("host-leaf-kept", WINDOWED, [Insert(A), SETTLE, Evict(1), EvictHost(1, SWA)], keep_host_leaf, 0),
        ("allocation-refused", PLAIN, [Insert(A)], instead("allocate", nothing(None)), 0),
        ("allocation-refused", PLAIN, [Insert(A), Insert(AB, reuse=True)], refuse_second, 0),
        ("evict_host-outcome", PLAIN, [Insert(A), SETTLE, Evict(1), EvictHost(1)], off_by_one("evict_host"), 0),
        ("run_copies-outcome", PLAIN, [Insert(A), RunCopies()], instead("run_copies", nothing(0)), 0),
        ("writing_check-outcome", PLAIN, [Insert(A), SETTLE], instead("writing_check", nothing(0)), 0),
        ("writing_check-outcome", PLAIN, [Insert(A), WritingCheck()], instead("writing_check", nothing(1)), 0),
    ],
    ids=words,
)
def test_progress(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"PROGRESS/{rule}"


def free_instead_of_inserting(system: RadixSystem) -> None:
    def insert(key: Key, slots: Sequence[int], protected: int, evicted: int) -> int:
        system.free(slots[protected:])
        return 0

    system.insert = insert  # type: ignore[method-assign]


def shorter(original: Callable[[Key], Any], key: Key) -> Any:
    found = original(key)
    return found._replace(device=max(0, found.device - 1), slots=found.slots[:-1])


def insert_tombstone(system: RadixSystem) -> None:
    """SWA state that the request still has is thrown away: it was never in the tree, so nothing can have been taken from it."""
    insert = system.insert

    def substitute(key: Key, slots: Sequence[int], protected: int, evicted: int) -> int:
        system.free_swa(slots)
        return insert(key, slots, protected, len(slots))

    system.insert = substitute  # type: ignore[method-assign]


def keep_swa_below_boundary(system: RadixSystem) -> None:
    """The SWA boundary of an insert is not heeded."""
    insert = system.insert
    system.free_swa = lambda slots: None  # type: ignore[method-assign]
    system.insert = lambda key, slots, protected, evicted: insert(key, slots, protected, 0)  # type: ignore[method-assign]


def cut_after_first_page(system: RadixSystem) -> None:
    cache_of(system).tree.split(node_of(system, 1, 2), 1)


def look_without_cutting(system: RadixSystem) -> None:
    """A match that ends after the first page of a node is answered, and leaves the node whole."""
    match = system.match

    def substitute(key: Key) -> Any:
        if key != A:
            return match(key)
        node = node_of(system, 1, 2, 3)
        assert node.full.device is not None
        return Lookup(1, 1, node.full.device[:1].tolist(), node)

    system.match = substitute  # type: ignore[method-assign]


NOBODYS = NodeView(99, 0, "", (9,), ((8,), None, None, None), (0, 0), False)


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("match-outcome", PLAIN, [Insert(AB), Match(AB)], instead("match", shorter), 0),
        ("lock-outcome", PLAIN, [Insert(AB), Lock("r1", AB)], instead("match", shorter), 0),
        ("insert-outcome", PLAIN, [Insert(A), Insert(AB)], off_by_one("insert"), 0),
        ("insert-outcome", PLAIN, [Insert(AB), Insert(ABC, reuse=True)], instead("match", shorter), 0),
        ("full-not-inserted", PLAIN, [Insert(A)], free_instead_of_inserting, 0),
        ("swa-not-inserted", WINDOWED, [Insert(A)], insert_tombstone, 0),
        ("swa-not-inserted", replace(WINDOWED, threshold=2), [Insert(A)], insert_tombstone, 0),
        ("full-unexpected", PLAIN, [Insert(A)], lie(nodes=lambda nodes: (*nodes, NOBODYS)), 1),
        ("swa-unexpected", WINDOWED, [Insert(AB, evicted=2)], keep_swa_below_boundary, 0),
        ("cut-unasked", PLAIN, [Insert(AB), Insert(B)], cut_after_first_page, 2),
        ("not-cut", PLAIN, [Insert(ABC), Match(A), Match(AB)], look_without_cutting, 0),
    ],
    ids=words,
)
def test_match(
    signature_of: Callable[..., str | None], rule: str, config: Config, operations: list[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(config, operations, deed, after) == f"MATCH/{rule}"


@pytest.mark.parametrize(
    ("operation", "deed"),
    [
        (Match(B), move_device(FULL, 1)),
        (Lock("r1", B), move_device(FULL, 1)),
        (Unlock("r0"), move_device(FULL, 1)),
        (RunCopies(), move_device(FULL, 1)),
        (WritingCheck(), move_device(FULL, 1)),
        (WritingCheck(blocking=True), move_host(1)),
        (Match(B), drop_host(1)),
    ],
    ids=words,
)
def test_stutter(signature_of: Callable[..., str | None], operation: Operation, deed: Deed) -> None:
    operations = [Insert(A), SETTLE, Insert(B), SETTLE, Lock("r0", B), operation]
    assert signature_of(PLAIN, operations, deed, after=len(operations)) == f"STUTTER/{operation.name}"


def raising(name: str) -> Deed:
    def stand_in(*arguments: object, **named: object) -> None:
        raise RuntimeError("tail of the list is gone")

    return lambda system: setattr(cache_of(system), name, stand_in)


@pytest.mark.parametrize(
    ("operations", "method"),
    [
        ([Match(A)], "match"),
        ([Insert(A)], "insert"),
        ([Lock("r1", A)], "lock"),
        ([Lock("r1", A), Unlock("r1")], "unlock"),
        ([Evict(1)], "evict"),
        ([EvictHost(1)], "evict_host"),
        ([WritingCheck()], "writing_check"),
    ],
    ids=words,
)
def test_nocrash(signature_of: Callable[..., str | None], operations: list[Operation], method: str) -> None:
    assert signature_of(PLAIN, operations, raising(method)) == f"NOCRASH/RuntimeError@RadixSystem.{method}"


def test_quiesce_is_said_besides_the_lock_that_is_left(
    tampered: Callable[[Deed, int], Any], breaches_of: Callable[..., list[Any]]
) -> None:
    """That something is still protected when nobody holds a lock shows as a wrong lock count first."""
    operations = [Insert(A), SETTLE, Lock("r1", A), Unlock("r1")]
    breaches = breaches_of(tampered(change_lock(FULL, +1, 1), 4), PLAIN, operations, DELTAS)
    assert [breach.signature for breach in breaches] == ["LOCK/full-too-many", "QUIESCE/protected"]


def test_every_property_is_tested_here_or_where_the_whole_state_is() -> None:
    """LEAF is a property of the whole state, and QUIESCE comes first only there: see the tests of `inspect`."""
    here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    missing = {item for item in Property if not any(name.startswith(item.name.lower()) for name in here)}
    assert missing == {Property.LEAF}

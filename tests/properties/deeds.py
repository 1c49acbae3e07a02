"""How to misbehave: deeds that make a live cache do, or say, one wrong thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from radixproof.impl.observation import NodeView, Observation
from radixproof.impl.operations import Insert, LoadingCheck, Operation, WritingCheck
from radixproof.impl.radix.config import COMPONENTS
from radixproof.model.config import DEVICE, HOST, Component, Config, Pool
from radixproof.model.key import Key

if TYPE_CHECKING:
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots
    from radixproof.impl.radix_adapter.adapter import RadixSystem

Deed: TypeAlias = Callable[["RadixSystem"], Callable[[Observation], Observation] | None]
"""What goes wrong.

It may change the live cache, replace methods of the system, or return a lie to tell from now on.
"""
SignatureOf: TypeAlias = Callable[..., str | None]
"""The fixture `signature_of`."""

FULL, SWA, MAMBA = Component
DELTAS, WHOLE = 10**9, 1
"""How often the whole state is inspected."""

PLAIN = Config()
WINDOWED = Config(window=2, swa_pages=8, swa_host_pages=16)
STATEFUL = Config(mamba_states=6, mamba_host_states=6)
WRITE_BACK = Config(write_back=True)
HOSTLESS = Config(host_pages=0)

A, B, C, AB, ABC = Key((1,)), Key((2,)), Key((3,)), Key((1, 2)), Key((1, 2, 3))
SETTLE = WritingCheck(blocking=True)
LOADED = LoadingCheck(blocking=True)


def with_state(key: Key) -> Insert:
    """An insert that brings the state of the prompt's end."""
    return Insert(key, state=True)


def words(value: object) -> str:
    """Part of the name of a case."""
    match value:
        case Config():
            return "-".join(component.name.lower() for component in value.components)
        case list():
            return "; ".join(map(str, value))
        case Enum():
            return value.name.lower()
        case str() | int():
            return str(value)
        case _:
            return getattr(value, "__qualname__", str(value)).split(".")[0]


def node_of(system: RadixSystem, *segment: int) -> Node:
    """The node with that segment."""
    return next(node for node in system.cache.tree.nodes() if node.segment == segment)


# -- other methods --


def instead(method: str, substitute: Callable[..., Any]) -> Deed:
    """``method`` of the system is replaced; the substitute is given the original first."""

    def deed(system: RadixSystem) -> None:
        original = getattr(system, method)
        setattr(system, method, lambda *arguments: substitute(original, *arguments))

    return deed


def in_vain(method: str, answer: Any) -> Deed:
    """``method`` of the system does nothing, and says ``answer``."""
    return instead(method, lambda original, *arguments: answer)


def off_by_one(method: str) -> Deed:
    """``method`` does what it should, and says one more."""
    return instead(method, lambda original, *arguments: original(*arguments) + 1)


def raising(method: str) -> Deed:
    """``method`` of the cache raises."""

    def stand_in(*arguments: object, **named: object) -> None:
        raise RuntimeError("tail of the list is gone")

    return lambda system: setattr(system.cache, method, stand_in)


def during(method: str, deed: Callable[[RadixSystem], object], answer: Any) -> Deed:
    """The deed is done instead of what ``method`` of the system should do."""

    def plant(system: RadixSystem) -> None:
        def substitute(*arguments: Any) -> Any:
            deed(system)
            return answer

        setattr(system, method, substitute)

    return plant


def both(first: Deed, second: Deed) -> Deed:
    """One deed, then the other; the lie is that of the second."""
    return lambda system: (first(system), second(system))[1]


# -- lies --


def lie(**changes: Callable[[Any], Any]) -> Deed:
    """Fields of every observation are told otherwise from now on."""

    def told(seen: Observation) -> Observation:
        return replace(
            seen, **{name: change(getattr(seen, name)) for name, change in changes.items()}
        )

    return lambda _: told


def lie_about(segment: tuple[int, ...], change: Callable[[NodeView], NodeView]) -> Deed:
    """The node with that segment is shown otherwise from now on."""
    return lie(
        nodes=lambda nodes: tuple(
            change(view) if view.segment == segment else view for view in nodes
        )
    )


def with_slots(view: NodeView, pool: Pool, slots: tuple[int, ...] | None) -> NodeView:
    full, swa, mamba, host, swa_host, mamba_host = (
        slots if at is pool else view.slots[at] for at in Pool
    )
    return view._replace(slots=(full, swa, mamba, host, swa_host, mamba_host))


def one_more(at: int, by: int = 1) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """A tuple of counts, one of them changed."""
    return lambda counts: tuple(count + by * (place == at) for place, count in enumerate(counts))


# -- slots and bytes --


def move_device(component: Component, *segment: int) -> Deed:
    """The device slots of a node are freed, and others take their place. The bytes go with them."""

    def deed(system: RadixSystem) -> None:
        device, node = system.memory.device, node_of(system, *segment)
        old = node.states[component].device
        assert old is not None
        if component is MAMBA:
            new = system.allocators[Pool.MAMBA].alloc(1)
        elif component is FULL:
            new = device.allocate(len(old))
        else:
            new = system.allocators[Pool.SWA].alloc(len(old))
        assert new is not None
        pool = system.pools[DEVICE[component]]
        pool.scatter(new, pool.gather(old))
        if component is SWA:
            assert node.full.device is not None
            device.swa_of[node.full.device] = new
        system.cache.tree.swap_device(node, COMPONENTS[component], new)
        device.free(old) if component is FULL else system.allocators[DEVICE[component]].free(old)

    return deed


def move_host(component: Component, *segment: int) -> Deed:
    """The host slots of a node are freed, and others take their place. The bytes go with them."""

    def deed(system: RadixSystem) -> None:
        state = node_of(system, *segment).states[component]
        allocator, pool = system.allocators[HOST[component]], system.pools[HOST[component]]
        assert state.host is not None
        old, new = state.host, allocator.alloc(len(state.host))
        assert new is not None
        pool.scatter(new, pool.gather(old))
        state.host = new
        allocator.free(old)
        system.cache.tree.changed(node_of(system, *segment))

    return deed


def drop_device(component: Component, *segment: int) -> Deed:
    """A node loses its device slots of one component."""

    def deed(system: RadixSystem) -> None:
        device, node = system.cache.memory.device, node_of(system, *segment)
        full = node.full.device
        assert full is not None
        slots = system.cache.tree.take_device(node, COMPONENTS[component])
        if component is MAMBA:
            system.allocators[Pool.MAMBA].free(slots)
        else:
            device.free(full) if component is FULL else device.free_swa(full)

    return deed


def drop_host(component: Component, *segment: int) -> Deed:
    """A node loses its host copy of one component; if nothing is left of it, it leaves the tree."""

    def deed(system: RadixSystem) -> None:
        node = node_of(system, *segment)
        slots = system.cache.tree.take_host(node, COMPONENTS[component])
        system.allocators[HOST[component]].free(slots)
        if component is FULL and node.full.device is None:
            system.cache.tree.unlink(node)

    return deed


def lose_page(pool: Pool) -> Deed:
    """A free page is forgotten."""

    def deed(system: RadixSystem) -> None:
        allocator = system.allocators[pool]
        assert allocator.alloc(allocator.page_size) is not None

    return deed


def find_page(pool: Pool) -> Deed:
    """A page in use is free, too: the first one, which the tree has."""

    def deed(system: RadixSystem) -> None:
        allocator = system.allocators[pool]
        import numpy as np

        allocator.free(np.arange(allocator.page_size, 2 * allocator.page_size))

    return deed


def slots_of(system: RadixSystem, pool: Pool, *segment: int) -> Slots:
    """What a node has in a pool."""
    state = node_of(system, *segment).states[pool.component]
    slots = state.host if pool.on_host else state.device
    assert slots is not None
    return slots


def scribble(pool: Pool, *segment: int, tag: int | None = None) -> Deed:
    """Other bytes than a node's are in its slots: those of the prefix ``tag``, or torn ones."""

    def deed(system: RadixSystem) -> None:
        slots, kv_pool = slots_of(system, pool, *segment), system.pools[pool]
        if tag is None:
            kv_pool.kv[0, 0, int(slots[0])] += 1
        else:
            allocator = system.allocators[pool]
            import numpy as np

            every = np.arange(1, allocator.pages * allocator.page_size + 1)
            found = system.read(pool, every.tolist()).index(tag)
            kv_pool.scatter(slots[:1], kv_pool.gather(every[found : found + 1]))

    return deed


# -- locks and order --


def change_lock(component: Component, by: int, *segment: int) -> Deed:
    """A node is locked on the device once more, or once less, than it should be."""

    def deed(system: RadixSystem) -> None:
        change = system.cache.tree.hold if by > 0 else system.cache.tree.release
        change(node_of(system, *segment), COMPONENTS[component])

    return deed


def change_host_lock(component: Component, by: int, *segment: int) -> Deed:
    """The same of host locks."""

    def deed(system: RadixSystem) -> None:
        change = system.cache.tree.hold_host if by > 0 else system.cache.tree.release_host
        change(node_of(system, *segment), COMPONENTS[component])

    return deed


def renew(component: Component, *segment: int) -> Deed:
    """A value that nobody used becomes the most recently used of its component."""
    return lambda system: system.cache.tree.device_order[component].renew(node_of(system, *segment))


def after_each(*operations: Operation) -> Sequence[Operation]:
    """The operations, each with its backups acknowledged."""
    return [each for operation in operations for each in (operation, SETTLE)]

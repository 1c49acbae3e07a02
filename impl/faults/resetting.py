"""Bugs in resetting: what outlives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from radixproof.impl.faults.planting import fault
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.outstanding import Outstanding


@fault(
    "family of B67, SGLang pull request 16369: what is never given back",
    "host slots are still taken after a reset",
    Property.OWN_H,
)
def host_slots_survive_reset(cache: RadixCache) -> None:
    def keep() -> None:
        pass

    cache.memory.clear_host = keep  # type: ignore[method-assign]


@fault(
    "family of B79, SGLang issue 35270: sizes of an idle cache",
    "sizes are carried over a reset",
    Property.SIZE,
)
def sizes_survive_reset(cache: RadixCache) -> None:
    tree = cache.tree
    reset = tree.reset

    def keep_sizes() -> None:
        evictable = tree.evictable
        reset()
        tree.evictable = evictable

    tree.reset = keep_sizes  # type: ignore[method-assign]


@fault(
    "family of B47, SGLang pull request 22592: nodes that have been detached",
    "leaves that a reset has dropped stay evictable",
    Property.LEAF,
)
def leaves_survive_reset(cache: RadixCache) -> None:
    tree = cache.tree
    reset = tree.reset

    def keep_leaves() -> None:
        leaves = tree.device_leaves
        reset()
        tree.device_leaves = leaves

    tree.reset = keep_leaves  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 16747: what is never given back",
    "the tree outlives a reset of the pools",
    Property.MATCH,
)
def tree_survives_reset(cache: RadixCache) -> None:
    def keep() -> None:
        pass

    cache.tree.reset = keep  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 16747: what is never given back",
    "backups that a reset has forgotten still write to the host, where their slots are given anew",
    Property.RACE,
)
def backups_survive_reset(cache: RadixCache) -> None:
    _forget_too_little(cache.backups._outstanding)


@fault(
    "family of B67, SGLang pull request 16747: what is never given back",
    "load-backs that a reset has forgotten still write to the device, where their slots are given"
    " anew",
    Property.RACE,
)
def loads_survive_reset(cache: RadixCache) -> None:
    _forget_too_little(cache.loader._outstanding)


def _forget_too_little(outstanding: Outstanding[Any]) -> None:
    """What is under way at a reset is not waited for: it is done with the next copies."""
    engine: Any = outstanding._engine
    run, left = engine.run, list[Any]()

    def forget() -> None:
        left.extend(flight.ended for flight in engine._flying)
        engine._flying.clear()

    def run_what_is_left_first(count: int, fail: bool = False) -> int:
        for ended in left:
            ended.reach()
        left.clear()
        return int(run(count, fail))

    engine.clear, engine.run = forget, run_what_is_left_first


@fault(
    "family of B67, SGLang pull request 16747: what is never given back",
    "a reset leaves the backups in flight to be acknowledged, in a tree that is no more",
    Property.NOCRASH,
)
def acks_survive_reset(cache: RadixCache) -> None:
    _keep_to_be_acknowledged(cache.backups._outstanding)


@fault(
    "family of B47, SGLang pull request 22592: nodes that have been detached",
    "leaves on the host that a reset has dropped can still be evicted",
    Property.LEAF,
)
def host_leaves_survive_reset(cache: RadixCache) -> None:
    tree = cache.tree
    reset = tree.reset

    def keep_leaves() -> None:
        leaves = tree.host_leaves
        reset()
        tree.host_leaves = leaves

    tree.reset = keep_leaves  # type: ignore[method-assign]


@fault(
    "family of B47, SGLang pull request 22592: nodes that have been detached",
    "windows on the host that a reset has dropped can still be evicted",
    Property.LEAF,
)
def host_windows_survive_reset(cache: RadixCache) -> None:
    tree = cache.tree
    reset = tree.reset

    def keep_order() -> None:
        order = tree.host_order
        reset()
        tree.host_order = (tree.host_order[0], order[1], tree.host_order[2])

    tree.reset = keep_order  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 16747: what is never given back",
    "a reset leaves the load-backs in flight to be acknowledged, in a tree that is no more",
    Property.NOCRASH,
)
def load_acks_survive_reset(cache: RadixCache) -> None:
    _keep_to_be_acknowledged(cache.loader._outstanding)


def _keep_to_be_acknowledged(outstanding: Outstanding[Any]) -> None:
    """A reset forgets the copies, but not that they are to be acknowledged."""

    def keep() -> None:
        outstanding._engine.clear()
        outstanding._ahead.clear()
        for entry in outstanding._entries:
            entry.copy.done = True

    outstanding.clear = keep  # type: ignore[method-assign]

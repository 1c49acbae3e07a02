"""Bugs in what a load-back may take, what it says that it brings, and what its ack does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import COMPONENTS
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.loading import Load, Plan
    from radixproof.impl.radix.locks import HostReceipt
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS


@fault(
    "family of SGLang pull request 38481: the quota",
    "a load-back that takes all of its quota is refused",
    Property.PROGRESS,
)
def quota_exclusive(cache: RadixCache) -> None:
    loader, load_back = cache.loader, cache.loader.load_back

    def less_than(anchor: Node, quota: int | None) -> int:
        return load_back(anchor, None if quota is None else quota - 1)

    loader.load_back = less_than  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 38481: the quota",
    "a quota of 0 is taken for none",
    Property.PROGRESS,
)
def quota_of_nothing_taken_for_none(cache: RadixCache) -> None:
    loader, load_back = cache.loader, cache.loader.load_back

    def with_some_or_none(anchor: Node, quota: int | None) -> int:
        return load_back(anchor, quota or None)

    loader.load_back = with_some_or_none  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 38481: the quota",
    "a quota is rounded up to whole pages",
    Property.PROGRESS,
)
def quota_rounded_up(cache: RadixCache) -> None:
    loader, load_back = cache.loader, cache.loader.load_back
    size = cache.config.page_size

    def whole_pages(anchor: Node, quota: int | None) -> int:
        return load_back(anchor, None if quota is None else -(-quota // size) * size)

    loader.load_back = whole_pages  # type: ignore[method-assign]


@fault(
    "SGLang pull request 38481: what counts against the quota",
    "what a load-back pins on the device does not count against its quota",
    Property.PROGRESS,
)
def quota_ignores_what_it_pins(cache: RadixCache) -> None:
    cache.locks.pinned_by = lambda node: 0  # type: ignore[method-assign]


@fault(
    "SGLang pull request 38481: what counts against the quota",
    "what is locked on the device already counts against the quota of a load-back, too",
    Property.PROGRESS,
)
def quota_counts_what_is_locked(cache: RadixCache) -> None:
    def on_device(node: Node) -> int:
        while node.parent is not None and node.full.device is None:
            node = node.parent
        return node.end

    cache.locks.pinned_by = on_device  # type: ignore[method-assign]


@fault(
    "family of B74, SGLang pull request 31771: how much is loaded",
    "a load-back of exactly as many FULL tokens as are worth it is refused",
    Property.PROGRESS,
)
def load_threshold_exclusive(cache: RadixCache) -> None:
    loader = cache.loader
    plan_of = loader._plan

    def more_than_that(anchor: Node) -> Plan:
        plan = plan_of(anchor)
        tokens = sum(len(node.segment) for node in plan.get(FULL, ()))
        return {} if len(plan) == 1 and tokens == cache.config.load_threshold else plan

    loader._plan = more_than_that  # type: ignore[method-assign]


@fault(
    "family of B38, SGLang pull request 25085: which components are loaded",
    "a load-back of FULL or a window leaves the state on the host",
    Property.PROGRESS,
)
def state_left_on_the_host(cache: RadixCache) -> None:
    loader = cache.loader
    plan_of = loader._plan

    def without_state(anchor: Node) -> Plan:
        plan = plan_of(anchor)
        if len(plan) > 1:
            plan.pop(MAMBA, None)
        return plan

    loader._plan = without_state  # type: ignore[method-assign]


@fault(
    "family of B40, SGLang pull request 27391: what a load-back says",
    "a load-back returns the tokens of its window, and its state, along with those of FULL",
    Property.PROGRESS,
)
def load_returns_all_components(cache: RadixCache) -> None:
    loader, load_back, outstanding = (
        cache.loader,
        cache.loader.load_back,
        cache.loader._outstanding,
    )

    def all_of_it(anchor: Node, quota: int | None) -> int:
        before = len(outstanding)
        load_back(anchor, quota)
        if len(outstanding) == before:
            return 0
        return sum(
            len(transfer.target_slots) for transfer in outstanding._entries[-1].copy.transfers
        )

    loader.load_back = all_of_it  # type: ignore[method-assign]


@fault(
    "family of B67, SGLang pull request 30053: what is never given back",
    "the ack of a load-back leaves its source locked on the host",
    Property.LOCK,
)
def load_ack_keeps_host_lock(cache: RadixCache) -> None:
    loader, locks = cache.loader, cache.locks
    acknowledge, unlock_host = loader.acknowledge, locks.unlock_host

    def keep(receipt: HostReceipt) -> None:
        receipt.spent = True

    def with_one_lock_left(blocking: bool, limit: int | None = None) -> int:
        locks.unlock_host = keep  # type: ignore[method-assign]
        try:
            return acknowledge(blocking, limit)
        finally:
            locks.unlock_host = unlock_host  # type: ignore[method-assign]

    loader.acknowledge = with_one_lock_left  # type: ignore[method-assign]


@fault(
    "family of SGLang pull request 12111 and issue 12007: what is a use",
    "the ack of a load-back makes what it has brought the most recently used",
    Property.RECENCY,
)
def load_ack_counts_as_use(cache: RadixCache) -> None:
    def touch(load: Load) -> None:
        for node in sorted(load.fragments, key=lambda node: node.end):
            cache.tree.touch(node)

    _once_acknowledged(cache, touch)


@fault(
    "family of B75, SGLang issue 33713: copies that are given up",
    "the ack of a load-back gives the host copy of its FULL up",
    Property.STUTTER,
)
def host_copy_dropped_with_the_ack(cache: RadixCache) -> None:
    def drop(load: Load) -> None:
        for node in load.fragments:
            if node.backed and not (node.host_locked or node.pending or node.loading):
                cache.memory.host[FULL].free(cache.tree.take_host(node, FULL))

    _once_acknowledged(cache, drop)


def _once_acknowledged(cache: RadixCache, then: Callable[[Load], None]) -> None:
    """Let ``then`` see every load-back right after its ack."""
    loader, outstanding = cache.loader, cache.loader._outstanding
    acknowledge, finish = loader.acknowledge, outstanding.finish
    ended: list[Load] = []

    def finish_and_note(blocking: bool, limit: int | None) -> list[Load]:
        ended[:] = finish(blocking, limit)
        return ended

    def acknowledge_and_tell(blocking: bool, limit: int | None = None) -> int:
        count = acknowledge(blocking, limit)
        for load in ended:
            then(load)
        return count

    outstanding.finish = finish_and_note  # type: ignore[method-assign]
    loader.acknowledge = acknowledge_and_tell  # type: ignore[method-assign]

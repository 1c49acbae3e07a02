"""Bugs in what a lock covers, and in how much of it is given back, on either tier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from radixproof.impl.faults.locks import release_what_counts
from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.locks import Held, HostReceipt, Receipt
    from radixproof.impl.radix.node import Edge, Node

FULL, SWA = Component.FULL, Component.SWA


@fault(
    "family of B17, a remark in the review of SGLang pull request 28161",
    "an unlock gives the window back once more that was released early, "
    "and takes the count of another lock if there is one",
    Property.LOCK,
)
def released_window_given_back_again(cache: RadixCache) -> None:
    locks, unlock = cache.locks, cache.locks.unlock

    def unlock_all(receipt: Receipt) -> None:
        receipt.released = False
        unlock(receipt)

    locks.unlock = unlock_all  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "family of B16, SGLang pull request 28161: the early release",
    "an early release gives the window back, and the state stays locked for good",
    Property.LOCK,
)
def early_release_keeps_the_state(cache: RadixCache) -> None:
    locks, release_window, windowed = cache.locks, cache.locks.release_window, cache.locks._windowed

    def windows(receipt: Receipt) -> Held:
        return [(node, component) for node, component in windowed(receipt) if component is SWA]

    def release(receipt: Receipt) -> list[Node]:
        locks._windowed = windows  # type: ignore[method-assign]
        try:
            return release_window(receipt)
        finally:
            locks._windowed = windowed  # type: ignore[method-assign]

    locks.release_window = release  # type: ignore[method-assign]


@fault(
    "family of B16, SGLang pull request 28161: the early release",
    "an early release leaves the window where it is, though nothing hangs below it",
    Property.MATCH,
)
def released_window_stays(cache: RadixCache) -> None:
    cache.device_evictor.drop_windows = lambda nodes: None  # type: ignore[method-assign]


@fault(
    "family of B16, SGLang pull request 28161: the early release",
    "an early release that frees a window frees its host copy with it",
    Property.PROGRESS,
)
def released_window_loses_its_host_copy(cache: RadixCache) -> None:
    evictor, drop_windows = cache.device_evictor, cache.device_evictor.drop_windows

    def drop_both(nodes: Iterable[Node]) -> None:
        with_window = [node for node in nodes if node.swa.device is not None]
        drop_windows(with_window)
        for node in with_window:
            if node.swa.device is None and node.swa.host is not None and not node.pending:
                cache.memory.host[SWA].free(cache.tree.take_host(node, SWA))

    evictor.drop_windows = drop_both  # type: ignore[method-assign]


@fault(
    "family of B25, SGLang pull request 38480: what a host lock counts",
    "a host lock keeps the window of its last node alone",
    Property.LOCK,
)
def host_lock_keeps_one_node_of_the_window(cache: RadixCache) -> None:
    locks, lock_host = cache.locks, cache.locks.lock_host

    def lock_last(anchor: Node) -> HostReceipt:
        window, locks._window = locks._window, min(locks._window, 1)
        try:
            return lock_host(anchor)
        finally:
            locks._window = window

    locks.lock_host = lock_last  # type: ignore[method-assign]


@fault(
    "family of B08, SGLang pull requests 24972, 32228: counts of locks",
    "a lock goes no further up than the first node that is locked already, "
    "as if that had locked what is above it for all",
    Property.LOCK,
)
def lock_stops_at_a_locked_node(cache: RadixCache) -> None:
    locks, lock, tree = cache.locks, cache.locks.lock, cache.tree
    hold = tree.hold

    def lock_up(anchor: Node) -> Receipt:
        met: list[Node] = []

        def hold_below(node: Node, component: Component) -> None:
            if component is FULL and node.full.locks:
                met.append(node)
            if component is not FULL or met in ([], [node]):
                hold(node, component)

        tree.hold = hold_below  # type: ignore[method-assign]
        receipt = lock(anchor)
        tree.hold = hold  # type: ignore[method-assign]
        return receipt

    locks.lock = lock_up  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "family of B08, SGLang pull request 36848: where a window lock ends",
    "a lock whose nodes make up exactly one window is not marked as complete, "
    "and its release goes on to the root",
    Property.NOCRASH,
)
def exact_window_released_to_the_root(cache: RadixCache) -> None:
    locks, lock_window = cache.locks, cache.locks._lock_window

    def lock_beyond(
        anchor: Node, hold: Callable[[Node, Component], None], edge: Edge
    ) -> object | None:
        covered: list[Node] = []

        def hold_and_note(node: Node, component: Component) -> None:
            hold(node, component)
            covered.append(node)

        mark = lock_window(anchor, hold_and_note, edge)
        exact = covered and anchor.end - covered[-1].start == locks._window
        return None if exact else mark

    locks._lock_window = lock_beyond  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "family of B16, SGLang pull request 28161: priorities in a cascade",
    "an early release that frees a window leaves the state of the node there",
    Property.MATCH,
)
def released_window_leaves_its_state(cache: RadixCache) -> None:
    tree, device = cache.tree, cache.memory.device

    def drop_windows(nodes: Iterable[Node]) -> None:
        for node in nodes:
            full, swa = node.full.device, node.swa
            needed = swa.locks or node.resident_children
            if full is not None and swa.device is not None and not needed:
                tree.take_device(node, SWA)
                device.free_swa(full)

    cache.device_evictor.drop_windows = drop_windows  # type: ignore[method-assign]

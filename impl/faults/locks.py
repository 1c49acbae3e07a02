"""Bugs in locks, and in what a receipt gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.locks import Held, Receipt
    from radixproof.impl.radix.node import Edge, Node
    from radixproof.impl.radix.pools import Slots

FULL, SWA, MAMBA = Component


def release_what_counts(cache: RadixCache) -> None:
    """Let a release pass over counts of zero in silence.

    So must one that does not know what its lock has counted.
    """

    def release(receipt: Receipt, held: Held) -> None:
        for node, component in held:
            if node.states[component].locks:
                cache.tree.release(node, component)

    cache.locks._release = release  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull requests 24972, 32228, 36350, 36848",
    "a lock passes over tombstones, and its release takes the counts of other locks from those "
    "that have been revived since",
    Property.LOCK,
)
def lock_skips_tombstones(cache: RadixCache) -> None:
    tree, hold = cache.tree, cache.tree.hold

    def hold_present(node: Node, component: Component) -> None:
        if component is not SWA or node.swa.device is not None:
            hold(node, component)

    tree.hold = hold_present  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "B08, SGLang pull requests 24972, 32228, 36350, 36848",
    "an unlock passes over nodes that have become tombstones under the lock, "
    "and leaves its count on them",
    Property.LOCK,
)
def unlock_skips_tombstones(cache: RadixCache) -> None:
    locks, release = cache.locks, cache.locks._release

    def release_present(receipt: Receipt, held: Held) -> None:
        release(
            receipt,
            [
                (node, component)
                for node, component in held
                if node.states[component].device is not None
            ],
        )

    locks._release = release_present  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull request 36848",
    "the early release of a window does not know what the lock has counted, "
    "and passes over tombstones",
    Property.LOCK,
)
def early_release_skips_tombstones(cache: RadixCache) -> None:
    locks, release_window, windowed = cache.locks, cache.locks.release_window, cache.locks._windowed

    def present(receipt: Receipt) -> Held:
        return [
            (node, component)
            for node, component in windowed(receipt)
            if node.states[component].device is not None
        ]

    def release_present(receipt: Receipt) -> list[Node]:
        locks._windowed = present  # type: ignore[method-assign]
        try:
            return release_window(receipt)
        finally:
            locks._windowed = windowed  # type: ignore[method-assign]

    locks.release_window = release_present  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull requests 36350, 36848",
    "a lock passes over a node without a state, "
    "and its release takes the count of another lock if one came since",
    Property.LOCK,
)
def lock_skips_missing_state(cache: RadixCache) -> None:
    tree, hold = cache.tree, cache.tree.hold

    def hold_present(node: Node, component: Component) -> None:
        if component is not MAMBA or node.mamba.device is not None:
            hold(node, component)

    tree.hold = hold_present  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "B08, SGLang pull request 36848",
    "a value that comes to a node under a lock is counted as evictable",
    Property.SIZE,
)
def value_under_lock_counts_as_evictable(cache: RadixCache) -> None:
    tree, put_device = cache.tree, cache.tree.put_device

    def put(node: Node, component: Component, slots: Slots) -> None:
        put_device(node, component, slots)
        if node.states[component].locks:
            tree.evictable[component] += len(slots)
            tree.protected[component] -= len(slots)

    tree.put_device = put  # type: ignore[method-assign]


@fault(
    "B16, SGLang pull request 28161",
    "the early release of a window does nothing, so that it stays locked",
    Property.LOCK,
)
def early_release_does_nothing(cache: RadixCache) -> None:
    def release_window(receipt: Receipt) -> list[Node]:
        receipt.released = True
        return []

    cache.locks.release_window = release_window  # type: ignore[method-assign]


@fault(
    "B17, a remark in the review of SGLang pull request 28161",
    "a request that locks again after the early release of its window still counts as released, "
    "and leaks its new window lock",
    Property.LOCK,
)
def release_mark_survives_locking_again(cache: RadixCache) -> None:
    locks, lock = cache.locks, cache.locks.lock
    given: list[Receipt] = []

    def lock_again(anchor: Node) -> Receipt:
        receipt = lock(anchor)
        given[:] = [one for one in given if not one.spent]
        node = anchor
        while node.parent is not None and not receipt.released:
            receipt.released = any(one.released and one.anchor is node for one in given)
            node = node.parent
        given.append(receipt)
        return receipt

    locks.lock = lock_again  # type: ignore[method-assign]


@fault(
    "B16, SGLang pull request 28161",
    "an early release drops the windows that others have locked, too",
    Property.PIN,
)
def early_release_drops_locked_windows(cache: RadixCache) -> None:
    evictor = cache.device_evictor

    def drop_windows(nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.swa.device is not None and not node.resident_children:
                evictor._make_tombstone(node, SWA, [0, 0, 0])

    evictor.drop_windows = drop_windows  # type: ignore[method-assign]


@fault(
    "B44, SGLang pull request 27210",
    "a lock keeps the SWA of the whole path, not of one window",
    Property.LOCK,
)
def lock_keeps_more_than_a_window(cache: RadixCache) -> None:
    cache.locks._window = 1 << 30 if cache.locks._window else 0


@fault(
    "SGLang pull request 23882 and issue 24153",
    "the release of a window goes one node too far, "
    "and takes the count of another lock if there is one",
    Property.LOCK,
)
def window_released_one_node_too_far(cache: RadixCache) -> None:
    locks, windowed = cache.locks, cache.locks._windowed

    def windowed_and_one(receipt: Receipt) -> Held:
        held = windowed(receipt)
        covered = [node for node, component in held if component is SWA]
        if receipt.edge is not None and covered[-1].parent is not None:
            held.append((covered[-1].parent, SWA))
        return held

    locks._windowed = windowed_and_one  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "B08, SGLang pull request 36848",
    "a lock renews the mark where its window ends, "
    "and an earlier lock of the same extent no longer finds the end of its own",
    Property.LOCK,
)
def lock_takes_the_mark_of_another(cache: RadixCache) -> None:
    locks, lock_window = cache.locks, cache.locks._lock_window

    def lock_with_new_mark(
        anchor: Node, hold: Callable[[Node, Component], None], edge: Edge
    ) -> object | None:
        def forget(node: Node, component: Component) -> None:
            node.edges[edge] = None
            hold(node, component)

        return lock_window(anchor, forget, edge)

    locks._lock_window = lock_with_new_mark  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "B80, SGLang pull request 37494",
    "giving back the lock of a request that has matched nothing raises",
    Property.NOCRASH,
)
def unlock_of_nothing_raises(cache: RadixCache) -> None:
    locks, unlock = cache.locks, cache.locks.unlock

    def unlock_node(receipt: Receipt) -> None:
        assert not receipt.anchor.is_root
        unlock(receipt)

    locks.unlock = unlock_node  # type: ignore[method-assign]


@fault(
    "bytedance-iaas/sglang pull request 508",
    "a match that ends inside a node is locked as the whole node, "
    "and a split of it makes part of the lock permanent",
    Property.LOCK,
)
def partial_match_locks_the_whole_node(cache: RadixCache) -> None:
    locks, lock = cache.locks, cache.locks.lock

    def lock_uncut(anchor: Node) -> Receipt:
        below = list(anchor.children.values())
        uncut = len(below) == 1 and below[0].id < anchor.id and below[0].full.device is not None
        return lock(below[0] if uncut else anchor)

    locks.lock = lock_uncut  # type: ignore[method-assign]


@fault(
    "B25, SGLang pull request 38480",
    "a split loses the host lock of FULL on the upper half",
    Property.LOCK,
)
def split_loses_host_lock(cache: RadixCache) -> None:
    from radixproof.impl.radix.node import Edge

    tree, split = cache.tree, cache.tree.split

    def split_and_lose(node: Node, length: int) -> Node:
        upper = split(node, length)
        upper.full.host_locks = 0
        node.edges[Edge.HOST_FULL], upper.edges[Edge.HOST_FULL] = upper.edges[Edge.HOST_FULL], None
        tree._sort_leaf(upper)
        return upper

    tree.split = split_and_lose  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull request 24972",
    "a host lock of a node that is not backed yet counts nothing, and its release finds no count",
    Property.LOCK,
)
def host_lock_skips_what_is_not_backed(cache: RadixCache) -> None:
    tree, hold_host = cache.tree, cache.tree.hold_host

    def hold_backed(node: Node, component: Component) -> None:
        if component is not FULL or node.backed:
            hold_host(node, component)

    tree.hold_host = hold_backed  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull request 36848",
    "the mark where a window lock ends stays on the lower half of a node that is split, "
    "and the upper half stays locked",
    Property.LOCK,
)
def split_keeps_window_mark_below(cache: RadixCache) -> None:
    from radixproof.impl.radix.node import Edge

    tree, split = cache.tree, cache.tree.split

    def split_below_mark(node: Node, length: int) -> Node:
        upper = split(node, length)
        node.edges[Edge.WINDOW], upper.edges[Edge.WINDOW] = upper.edges[Edge.WINDOW], None
        return upper

    tree.split = split_below_mark  # type: ignore[method-assign]


@fault(
    "B25, SGLang pull request 38480",
    "a split loses the device locks of the upper half",
    Property.LOCK,
)
def split_loses_device_locks(cache: RadixCache) -> None:
    tree, split = cache.tree, cache.tree.split

    def split_and_lose(node: Node, length: int) -> Node:
        upper = split(node, length)
        for component in (FULL, SWA):
            while upper.states[component].locks:
                tree.release(upper, component)
        return upper

    tree.split = split_and_lose  # type: ignore[method-assign]
    release_what_counts(cache)


@fault(
    "B08, SGLang pull request 36848",
    "a split copies the lock of the state at the end of a node to the upper half, "
    "which has no state",
    Property.LOCK,
)
def split_copies_state_lock(cache: RadixCache) -> None:
    tree, split = cache.tree, cache.tree.split

    def split_with_state_lock(node: Node, length: int) -> Node:
        upper = split(node, length)
        for _ in range(node.mamba.locks):
            tree.hold(upper, MAMBA)
        return upper

    tree.split = split_with_state_lock  # type: ignore[method-assign]


@fault(
    "B16, SGLang pull request 28161",
    "the last release of a lock frees a window that nothing below needs at once, "
    "as only an early release should",
    Property.STUTTER,
)
def unlock_drops_windows(cache: RadixCache) -> None:
    locks, unlock = cache.locks, cache.locks.unlock

    def unlock_and_drop(receipt: Receipt) -> None:
        held = [] if receipt.released else locks._windowed(receipt)
        unlock(receipt)
        cache.device_evictor.drop_windows([node for node, component in held if component is SWA])

    locks.unlock = unlock_and_drop  # type: ignore[method-assign]

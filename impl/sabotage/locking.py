"""Sabotage of locks, on either tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.planting import ALL, FULL, HOSTED, SWA, Situation, Strikes, kind
from radixproof.impl.sabotage.seams import around, counted, instead
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

LOCKS = (Situation.LOCKS,)
COVERS = "FULL is locked on every node from the anchor to the root."
WINDOW = (
    "SWA is locked from the anchor upward on as few whole nodes as make up `window` tokens, or up"
    " to the root."
)
ONLY = (
    "A receipt releases exactly what its lock took, whatever was split, evicted or recovered in"
    " between, and no other receipt's coverage changes."
)
ON_HOST = (
    "FULL is locked at the anchor alone, since on the host only leaves go; SWA for one window up"
    " from it, counted as in 6.1; MAMBA at the anchor."
)
RELEASED = (
    "Then every node of the released window that has SWA on the device, which no other lock covers,"
    " and no child on the device becomes a tombstone at once, and loses its state with it (7.6)."
)


def _beyond(nodes: list[Node]) -> Node | None:
    """A node next to those that a lock covers, above or below."""
    if not nodes:
        return None
    above = nodes[-1].parent
    if above is not None and not above.is_root:
        return above
    return next(iter(nodes[0].children.values()), None)


@kind("a lock leaves out the topmost node that it has to cover", "6.1", COVERS, ALL)
def lock_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.locks, "lock")
    def short(lock: Callable[..., Any], anchor: Node) -> Any:
        with counted(cache.tree, "hold") as held:
            receipt = lock(anchor)
        for component in COMPONENTS:
            if held[component] and strikes(Component(component)):
                cache.tree.release(held[component][-1], component)
        return receipt


@kind("a lock covers a node more", "6.1", COVERS, ALL)
def lock_a_node_long(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.locks, "lock")
    def long(lock: Callable[..., Any], anchor: Node) -> Any:
        with counted(cache.tree, "hold") as held:
            receipt = lock(anchor)
        for component in COMPONENTS:
            more = _beyond(held[component])
            if more is not None and strikes(Component(component)):
                cache.tree.hold(more, component)
        return receipt


@kind("a lock counts its window a token short", "6.1", WINDOW, (SWA,))
def lock_window_a_token_short(cache: RadixCache, strikes: Strikes) -> None:
    locks = cache.locks

    @around(locks, "lock")
    def short(lock: Callable[..., Any], anchor: Node) -> Any:
        if anchor.is_root or locks._window < 2 or not strikes(SWA):
            return lock(anchor)
        with instead(locks, "_window", locks._window - 1):
            return lock(anchor)


@kind("an unlock leaves the lock of a node", "6.2", ONLY, ALL, needs=LOCKS)
def unlock_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "unlock")
    def short(unlock: Callable[..., None], receipt: Any) -> None:
        with counted(cache.tree, "release") as released:
            unlock(receipt)
        for component in COMPONENTS:
            if released[component] and strikes(Component(component)):
                cache.tree.hold(released[component][-1], component)


@kind("an unlock releases a node more", "6.2", ONLY, ALL, needs=LOCKS)
def unlock_a_node_long(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "unlock")
    def long(unlock: Callable[..., None], receipt: Any) -> None:
        unlock(receipt)
        for component in COMPONENTS:
            held = [node for node in cache.tree.nodes() if node.states[component].locks]
            if held and strikes(Component(component)):
                cache.tree.release(held[0], component)


@kind("a host lock leaves out a node", "6.6", ON_HOST, ALL, HOSTED)
def host_lock_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.locks, "lock_host")
    def short(lock: Callable[..., Any], anchor: Node) -> Any:
        with counted(cache.tree, "hold_host") as held:
            receipt = lock(anchor)
        for component in COMPONENTS:
            if held[component] and strikes(Component(component)):
                cache.tree.release_host(held[component][-1], component)
        return receipt


@kind("a host lock covers a node more", "6.6", ON_HOST, ALL, HOSTED)
def host_lock_a_node_long(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.locks, "lock_host")
    def long(lock: Callable[..., Any], anchor: Node) -> Any:
        with counted(cache.tree, "hold_host") as held:
            receipt = lock(anchor)
        for component in COMPONENTS:
            more = _beyond(held[component])
            if more is not None and strikes(Component(component)):
                cache.tree.hold_host(more, component)
        return receipt


@kind(
    "a host lock is declined where there is a host copy",
    "10.2",
    "may decline where that node has no host copy, and nowhere else",
    policies=HOSTED,
)
def host_lock_declined(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "lock_host")
    def decline(lock: Callable[..., Any], anchor: Node) -> Any:
        return None if anchor.backed and strikes(FULL) else lock(anchor)


@kind("a host unlock leaves the lock of a node", "6.6", ON_HOST, ALL, HOSTED, LOCKS)
def host_unlock_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "unlock_host")
    def short(unlock: Callable[..., None], receipt: Any) -> None:
        with counted(cache.tree, "release_host") as released:
            unlock(receipt)
        for component in COMPONENTS:
            if released[component] and strikes(Component(component)):
                cache.tree.hold_host(released[component][-1], component)


@kind("a host unlock releases a node more", "6.6", ON_HOST, ALL, HOSTED, LOCKS)
def host_unlock_a_node_long(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "unlock_host")
    def long(unlock: Callable[..., None], receipt: Any) -> None:
        unlock(receipt)
        for component in COMPONENTS:
            held = [node for node in cache.tree.nodes() if node.states[component].host_locks]
            if held and strikes(Component(component)):
                cache.tree.release_host(held[0], component)


@kind("an early release leaves the lock of a node", "6.4", RELEASED, ALL[1:], needs=LOCKS)
def release_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.locks, "release_window")
    def short(release: Callable[..., Any], receipt: Any) -> Any:
        with counted(cache.tree, "release") as released:
            nodes = release(receipt)
        for component in COMPONENTS[1:]:
            if released[component] and strikes(Component(component)):
                cache.tree.hold(released[component][-1], component)
        return nodes


@kind(
    "an early release leaves a window where nothing hangs below it",
    "6.4",
    RELEASED,
    (SWA,),
    needs=LOCKS,
)
def released_window_kept(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.device_evictor, "drop_windows")
    def keep(drop: Callable[..., None], nodes: list[Node]) -> None:
        for node in nodes:
            goes = node.swa.device is not None and not node.swa.locks and not node.resident_children
            if not (goes and strikes(SWA)):
                drop([node])


@kind("an early release drops a window that others need", "6.4", RELEASED, (SWA,), needs=LOCKS)
def released_window_of_others(cache: RadixCache, strikes: Strikes) -> None:
    evictor = cache.device_evictor

    @around(evictor, "drop_windows")
    def drop_more(drop: Callable[..., None], nodes: list[Node]) -> None:
        drop(nodes)
        others = (
            node
            for node in cache.tree.device_order[SWA]
            if not node.swa.locks and node.resident_children
        )
        other = next(others, None)
        if other is not None and strikes(SWA):
            evictor._make_tombstone(other, COMPONENTS[SWA], [0, 0, 0])

"""The drives of an eviction, on either tier, with a seam where each victim is chosen.

They do what those of the cache do, a victim at a time, and let advisers have another one taken, or
none. With advisers who agree, nothing is different.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.impl.radix.host_eviction import _may_lose_host

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.device_eviction import DeviceEvictor
    from radixproof.impl.radix.host_eviction import HostEvictor
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS


@dataclass(slots=True)
class Turn:
    """One choice of a victim: for which component, among whom, the first in order first."""

    component: Component
    candidates: list[Node]
    wanted: int
    freed: int
    others: list[Node] = field(default_factory=list)
    """Nodes that have the component there, but may not go."""

    @property
    def enough(self) -> bool:
        return self.freed >= self.wanted

    @property
    def ends(self) -> bool:
        """Whether the drive is over."""
        return self.enough or not self.candidates


Advice: TypeAlias = Callable[[Turn], "Node | None"]
"""A victim instead of the rule's; None: as the rule says. Raises `Stop` to end the drive."""


class Stop(Exception):
    """The drive is to end here."""


class _Drives:
    """What both tiers share: advisers, and the loop."""

    def __init__(self, cache: RadixCache) -> None:
        self.cache = cache
        self.advisers: list[Advice] = []

    evict: Callable[..., Any]

    def drive(
        self,
        component: Component,
        wanted: int,
        freed: list[int],
        look: Callable[[Component], Turn],
        take: Callable[[Node, Component, list[int]], None],
    ) -> None:
        """Take victims until enough is free, each at most once."""
        tried: dict[Node, None] = {}
        while True:
            turn = look(component)
            turn.candidates = [node for node in turn.candidates if node not in tried]
            turn.wanted, turn.freed = wanted, freed[component]
            try:
                advised = self._advised(turn)
            except Stop:
                return
            if advised is None and turn.ends:
                return
            victim = turn.candidates[0] if advised is None else advised
            tried[victim] = None
            take(victim, component, freed)

    def _advised(self, turn: Turn) -> Node | None:
        found = [advised for adviser in self.advisers if (advised := adviser(turn)) is not None]
        return found[0] if found else None


class DeviceDrives(_Drives):
    """Stands in for ``DeviceEvictor.evict``."""

    def evict(self, full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        freed = [0, 0, 0]
        for component, wanted in zip(COMPONENTS, (full, swa, mamba), strict=True):
            self.drive(component, wanted, freed, self._look, self.take)
        return freed[FULL], freed[SWA], freed[MAMBA]

    def _look(self, component: Component) -> Turn:
        tree, order = self.cache.tree, self.cache.eviction_order
        leaves = tree.device_leaves
        if component is FULL:
            nodes = [node for node in tree.nodes() if node.full.device is not None]
            candidates = sorted(leaves, key=order.turn)
        else:
            nodes = list(tree.device_order[component])
            candidates = [n for n in nodes if n in leaves or not n.states[component].locks]
        return Turn(component, candidates, 0, 0, [node for node in nodes if node not in candidates])

    def take(self, node: Node, component: Component, freed: list[int]) -> None:
        evictor = self.cache.device_evictor
        if node in self.cache.tree.device_leaves or component is FULL:
            evictor._evict_leaf(node, freed)
            return
        if evictor._write_back is not None:
            evictor._write_back.back_up_now(node)
        evictor._make_tombstone(node, component, freed)


class HostDrives(_Drives):
    """Stands in for ``HostEvictor.evict``."""

    def evict(self, wanted: int, component: Component) -> int:
        freed = [0, 0, 0]
        self.drive(component, wanted, freed, self._look, self.take)
        return freed[component]

    def _look(self, component: Component) -> Turn:
        evictor, tree = self.cache.host_evictor, self.cache.tree
        turn, leaves = evictor._order.turn, tree.device_leaves
        nodes = [node for node in tree.nodes() if node.states[component].host is not None]
        if component is FULL:
            spare = sorted(
                evictor._spare_duplicates(), key=lambda node: (node in leaves, turn(node))
            )
            candidates = spare + sorted(tree.host_leaves, key=turn)
        else:
            candidates = [
                node
                for node in tree.host_order[component]
                if node in tree.host_leaves or _may_lose_host(node, component)
            ]
        return Turn(component, candidates, 0, 0, [node for node in nodes if node not in candidates])

    def take(self, node: Node, component: Component, freed: list[int]) -> None:
        evictor, tree = self.cache.host_evictor, self.cache.tree
        if node in tree.host_leaves and (component is not FULL or node.full.device is None):
            evictor.delete(node, freed)
            return
        evictor._free(node, component, freed)
        if component is SWA and node.mamba.host is not None:
            evictor._free(node, MAMBA, freed)


def device_drives(cache: RadixCache) -> DeviceDrives:
    """The drives of a cache, which stand in for its own from now on."""
    return _once(cache.device_evictor, DeviceDrives, cache)


def host_drives(cache: RadixCache) -> HostDrives:
    """Those of its host tier."""
    return _once(cache.host_evictor, HostDrives, cache)


T = TypeVar("T", bound=_Drives)


def _once(
    evictor: DeviceEvictor | HostEvictor, drives: Callable[[RadixCache], T], of: RadixCache
) -> T:
    """What already stands in for an eviction, or what does so from now on."""
    held = vars(evictor)
    if "drives" not in held:
        held["drives"] = made = drives(of)
        held["evict"] = made.evict
    found: T = held["drives"]
    return found

"""Sabotage of evictions from the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.drives import Turn, device_drives
from radixproof.impl.sabotage.planting import Strikes, kind
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS
ALL = tuple(Component)


@kind(
    "the second in order is evicted, and the first stays",
    "7.2",
    "The victim is the first device leaf in the configured order, whole.",
    ALL,
)
def another_victim(cache: RadixCache, strikes: Strikes) -> None:
    def second(turn: Turn) -> Node | None:
        if turn.ends or len(turn.candidates) < 2 or not strikes(Component(turn.component)):
            return None
        return turn.candidates[1]

    device_drives(cache).advisers.append(second)

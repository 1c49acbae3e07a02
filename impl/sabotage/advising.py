"""Wrong advice for the drives of an eviction, on either tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from radixproof.impl.sabotage.drives import Advice, Stop, Turn
from radixproof.impl.sabotage.planting import Strikes
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.config import Component as Part
    from radixproof.impl.radix.node import Node


def _one_of(strikes: Strikes, wrong: Callable[[Turn], Node | None]) -> Advice:
    """In place of the first victim, while the drive goes on, another, if there is one."""

    def advice(turn: Turn) -> Node | None:
        other = None if turn.ends else wrong(turn)
        return other if other is not None and strikes(Component(turn.component)) else None

    return advice


def second(strikes: Strikes) -> Advice:
    """The second in order."""
    return _one_of(strikes, lambda turn: next(iter(turn.candidates[1:]), None))


def last(strikes: Strikes) -> Advice:
    """The last in order, which is not the second."""
    return _one_of(strikes, lambda turn: next(iter(turn.candidates[:1:-1]), None))


def one_that_may_not(strikes: Strikes, may_not: Callable[[Node, Part], bool]) -> Advice:
    """One that must stay."""
    return _one_of(
        strikes,
        lambda turn: next((node for node in turn.others if may_not(node, turn.component)), None),
    )


def one_more(strikes: Strikes) -> Advice:
    """One after enough is free, of what something was asked of."""

    def advice(turn: Turn) -> Node | None:
        goes_on = turn.wanted > 0 and turn.enough and turn.candidates
        return turn.candidates[0] if goes_on and strikes(Component(turn.component)) else None

    return advice


def one_less(strikes: Strikes) -> Advice:
    """None any more, though not enough is free."""

    def advice(turn: Turn) -> Node | None:
        if not turn.ends and strikes(Component(turn.component)):
            raise Stop
        return None

    return advice

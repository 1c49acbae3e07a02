"""One sabotage tried: is it reported, and if it is not, does anything show of it?"""

from __future__ import annotations

from functools import lru_cache
from itertools import zip_longest
from typing import Any

from radixproof.impl import registry
from radixproof.impl.sabotage.planting import Sabotaged
from radixproof.model.verdict import Breach, Property
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.sensitivity.cells import (
    CLOSELY,
    LATER,
    LEFT_OUT,
    MISSED,
    REPORTED,
    Result,
    Sabotage,
)
from radixproof.properties.sensitivity.looking import seen
from radixproof.properties.sensitivity.stories import Story, continuations, story
from radixproof.properties.workers.alarm import do_within

SECONDS = 20.0
"""Until a history, which takes a tenth of a second, is taken to hang."""


def attempt(one: Sabotage) -> Result:
    """Do it, and see."""
    whole = story(one.seed, one.number)
    verdict = _judged(one, whole)
    if verdict is not None:
        return _result(one, REPORTED, verdict)
    verdict = _judged(one, whole, every=1)
    if verdict is not None:
        return _result(one, CLOSELY, verdict)
    if _shows(one, whole, _undisturbed(one.seed, one.number)[one.step :]):
        return Result(one, MISSED)
    shown = False
    others = continuations(one.seed, one.number, one.step)
    for other, clean in zip(others, _continued(one.seed, one.number, one.step), strict=True):
        if _shows(one, other, clean):
            shown = True
            verdict = _judged(one, other) or _judged(one, other, every=1)
            if verdict is not None:
                return _result(one, LATER, verdict)
    return Result(one, MISSED if shown else LEFT_OUT)


def _result(one: Sabotage, kind: str, verdict: Verdict) -> Result:
    return Result(one, kind, verdict.breach.signature, verdict.step - one.step)


def _judged(one: Sabotage, told: Story, every: int | None = None) -> Verdict | None:
    target = Sabotaged(one.kind, one.at, one.alone).target()
    found: list[Verdict | None] = []

    def judge() -> None:
        found.append(run_history(target, told.history, every=every, looked=told.opened))

    return found[0] if do_within(SECONDS, judge) else Verdict(_hangs(), one.step)


def _hangs() -> Breach:
    return Breach(Property.NOCRASH, "hangs", "the history does not come to its end")


def _shows(one: Sabotage, told: Story, clean: list[Any]) -> bool:
    """Whether anything that can be seen differs from what it is without the sabotage."""
    sabotaged = Sabotaged(one.kind, one.at, one.alone).target()
    pairs = zip_longest(clean, seen(sabotaged, told.history, one.step))
    return any(before != after for before, after in pairs)


@lru_cache(maxsize=2)
def _undisturbed(seed: int, number: int) -> list[Any]:
    """What is seen without sabotage, from the first operation on."""
    return list(seen(registry.find("radix"), story(seed, number).history, 0))


@lru_cache(maxsize=16)
def _continued(seed: int, number: int, step: int) -> list[list[Any]]:
    """What is seen without sabotage, of each continuation, from that operation on."""
    others = continuations(seed, number, step)
    return [list(seen(registry.find("radix"), other.history, step)) for other in others]

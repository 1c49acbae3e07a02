"""One sabotage tried: is it reported, and if it is not, does anything show of it?"""

from __future__ import annotations

from itertools import zip_longest

from radixproof.impl import registry
from radixproof.impl.sabotage.planting import Sabotaged
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


def attempt(one: Sabotage) -> Result:
    """Do it, and see."""
    whole = story(one.seed, one.number)
    verdict = _judged(one, whole)
    if verdict is not None:
        return _result(one, REPORTED, verdict)
    verdict = _judged(one, whole, every=1)
    if verdict is not None:
        return _result(one, CLOSELY, verdict)
    if _shows(one, whole):
        return Result(one, MISSED)
    shown = False
    for other in continuations(one.seed, one.number, one.step):
        if _shows(one, other):
            shown = True
            verdict = _judged(one, other) or _judged(one, other, every=1)
            if verdict is not None:
                return _result(one, LATER, verdict)
    return Result(one, MISSED if shown else LEFT_OUT)


def _result(one: Sabotage, kind: str, verdict: Verdict) -> Result:
    return Result(one, kind, verdict.breach.signature, verdict.step - one.step)


def _judged(one: Sabotage, told: Story, every: int | None = None) -> Verdict | None:
    target = Sabotaged(one.kind, one.at, one.alone).target()
    return run_history(target, told.history, every=every, looked=told.opened)


def _shows(one: Sabotage, told: Story) -> bool:
    """Whether anything that can be seen differs from what it is without the sabotage."""
    sabotaged = Sabotaged(one.kind, one.at, one.alone).target()
    clean = registry.find("radix")
    pairs = zip_longest(*(seen(target, told.history, one.step) for target in (clean, sabotaged)))
    return any(before != after for before, after in pairs)

"""Does a system do the same thing twice? If not, what a search says of it is worth little."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach, Property
from radixproof.properties.running.replaying import fits
from radixproof.properties.running.run import Verdict
from radixproof.properties.running.trace import Shown, trace
from radixproof.properties.search.minimise import minimise

RUNS = 5
"""Runs in which a system that leaves something to chance should show it."""
MOST_STEPS = 10_000
"""Steps of all runs together, of which there are two at least."""


def differs(target: Target, history: History, runs: int = RUNS) -> Verdict | None:
    """The first difference between runs of a history on new systems, as a breach of REPEAT."""
    first = list(trace(target, history))
    for _ in range(max(2, min(runs, MOST_STEPS // max(1, len(first)))) - 1):
        pairs = zip_longest(first, trace(target, history))
        for at, (one, other) in enumerate(pairs):
            if one != other:
                return Verdict(_difference(history, at, one, other), at)
    return None


def shrunk(
    target: Target,
    history: History,
    verdict: Verdict,
    tell: Callable[[str, int], None],
    stop: Callable[[], bool] = lambda: False,
) -> tuple[History, Verdict]:
    """A history as short as can be on which the system still differs so, and its difference."""
    signature = verdict.breach.signature
    best = verdict

    def fails(candidate: History) -> bool:
        nonlocal best
        seen = differs(target, candidate) if fits(candidate, target.scope) else None
        if seen is None or seen.breach.signature != signature:
            return False
        best = seen
        return True

    smallest = minimise(history, fails, lambda left: tell(signature, left), stop=stop)
    return smallest, best


def did_not_come_again(history: History, breach: Breach) -> Verdict:
    """A breach that only the search saw, of a history that shows the same in all other runs."""
    last = len(history.operations) - 1
    operation = history.operations[last]
    text = (
        f"step {last + 1}, {operation}: in the search, {breach.text} ({breach.signature});"
        " when the same operations were run again, nothing was wrong"
    )
    return Verdict(Breach(Property.REPEAT, operation.name, text), last)


def _difference(history: History, at: int, one: Shown | None, other: Shown | None) -> Breach:
    operation = history.operations[at]
    once, again = _apart(one, other)
    text = f"step {at + 1}, {operation}: in one run {once}, in another {again}"
    return Breach(Property.REPEAT, operation.name, text)


def _apart(one: Shown | None, other: Shown | None) -> tuple[str, str]:
    """What is different in two runs of a step, as each of them showed it."""
    if one is None or other is None:
        return tuple("it was reached" if each else "it was not reached" for each in (one, other))  # type: ignore[return-value]
    if one.outcome != other.outcome:
        return one.outcome, other.outcome
    if one.nodes != other.nodes:
        return _only_in(one, other), _only_in(other, one)
    return _breaches(one), _breaches(other)


def _only_in(one: Shown, other: Shown) -> str:
    return " and ".join(sorted(one.nodes - other.nodes)) or "there is nothing more"


def _breaches(one: Shown) -> str:
    return "it broke " + " and ".join(one.breaches) if one.breaches else "nothing was wrong"

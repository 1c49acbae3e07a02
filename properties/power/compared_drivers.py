"""Drivers, ways to find a bug, side by side with the same budget in steps.

A driver is a name, a sentence, and a stream of histories that it has judged; another driver is
another entry of `DRIVERS`. A step is one operation of a history, skipped or not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from radixproof.impl.operations import History
from radixproof.impl.registry import planted_in
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach
from radixproof.properties.drivers import baseline
from radixproof.properties.drivers.soak import soak
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.sweep import sweep
from radixproof.properties.histories import corpus
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.replaying import fits, replayed
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.search.finding import settle
from radixproof.properties.search.minimise import minimise
from radixproof.properties.search.search import by_machine

EXAMPLE_STEPS = 50
"""Rules in an example of the state machine."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A history that ends with a breach. ``steps`` were judged until then, its own included."""

    steps: int
    history: History
    breach: Breach


Shrink = Callable[[Target, Hit], Hit]
Verdicts = Callable[[Target, History], Verdict | None]


def strictly(target: Target, hit: Hit) -> Hit:
    """The shortest history, and the breach it ends with, when every step is inspected."""
    found = settle(target, hit.history, hit.breach, (), lambda *_: None)
    assert found is not None, "nothing is known, so nothing is the consequence of it"
    return replace(hit, history=found.history, breach=found.verdict.breach)


def statically(target: Target, hit: Hit) -> Hit:
    """The shortest history in which the sanity check of the baseline sees the same breach."""

    def fails(history: History) -> bool:
        found = baseline.replay(target, history)
        return found is not None and found.breach.signature == hit.breach.signature

    return replace(hit, history=minimise(hit.history, fails)) if fails(hit.history) else hit


def as_it_is(target: Target, hit: Hit) -> Hit:
    """A history from the corpus, which is a shortest one already."""
    return hit


@dataclass(frozen=True, slots=True)
class Driver:
    """One way to find a bug."""

    name: str
    sentence: str
    histories: Callable[[Target, int], Iterator[JudgedHistory]]
    """The histories for a target and a seed, each judged up to its first breach."""
    shrink: Shrink = strictly
    verdict: Verdicts = run_history
    """How it judges one history with every step inspected."""
    seeded: bool = True
    """Whether another seed gives other histories."""

    def run(self, target: Target, seed: int, budget: int) -> Hit | None:
        """The first breach within ``budget`` steps, or None."""
        steps = 0
        for ran in self.histories(target, seed):
            steps += len(ran.history.operations)
            if ran.breach is not None and steps <= budget:
                return Hit(steps, ran.history, ran.breach)
            if steps >= budget:
                return None
        return None

    def false_alarm(self, hit: Hit, clean: Target) -> bool:
        """Whether it reports the system without the bug, too: then nothing was found."""
        return fits(hit.history, clean.scope) and self.verdict(clean, hit.history) is not None


def _machine(target: Target, seed: int) -> Iterator[JudgedHistory]:
    return by_machine(target, seed, sys.maxsize, EXAMPLE_STEPS)


def _soak(target: Target, seed: int) -> Iterator[JudgedHistory]:
    return soak(target, seed, lambda _: False)


def _explorer(target: Target, seed: int) -> Iterator[JudgedHistory]:
    return sweep(target, SCOPES.values())


def _corpus(target: Target, seed: int) -> Iterator[JudgedHistory]:
    return replayed(target, [entry.history for entry in corpus.read(corpus.FOLDER)])


def _others(target: Target, seed: int) -> Iterator[JudgedHistory]:
    others = [
        entry
        for entry in corpus.read(corpus.FOLDER)
        if planted_in(entry.system) and entry.system != target.name
    ]
    return replayed(target, [entry.history for entry in others])


DRIVERS = {
    driver.name: driver
    for driver in (
        Driver(
            "baseline",
            "uniformly random operations, and a static sanity check after every step",
            baseline.baseline,
            statically,
            baseline.replay,
        ),
        Driver("machine", "the Hypothesis state machine alone", _machine),
        Driver("soak", "the seeded soak alone", _soak),
        Driver(
            "explorer",
            "every history of the small scopes, the shortest first",
            _explorer,
            as_it_is,
            seeded=False,
        ),
        Driver(
            "corpus",
            "shortest histories of all known bugs, replayed",
            _corpus,
            as_it_is,
            seeded=False,
        ),
        Driver(
            "others",
            "shortest histories of the other planted bugs, replayed",
            _others,
            as_it_is,
            seeded=False,
        ),
    )
}
"""By name, in the order in which tables show them."""

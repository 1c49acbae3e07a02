"""A search of one system: a corpus if there is one, the state machine, then the soak.

Every new finding is shrunk as it comes, and the search goes on with its signature known, so that a
shallow bug does not hide a deep one. Its findings are a function of the system, the corpus, the
seed and the budget in steps alone; only a limit in seconds depends on the machine.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.accepting.rehearsal import rehearse
from radixproof.properties.drivers import machine
from radixproof.properties.drivers.soak import soak
from radixproof.properties.generating.configs import config
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.replaying import replayed
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.progress import Progress

REHEARSED = 30
"""Configurations on which an adapter is tried before it is searched."""


def calm_collector() -> None:
    """Exclude import-time objects from garbage collection, and collect rarely.

    A search leaves no large cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def try_out(target: Target) -> None:
    """Rehearse with an adapter that is not known to be right. Raises `AdapterMistake`."""
    if not target.vetted:
        rehearse(target, [config(Random(f"{n}"), target.scope) for n in range(REHEARSED)])


def search(
    target: Target,
    seed: int,
    budget: Budget,
    tell: Callable[[Progress | Finding], None],
    stored: Sequence[History] = (),
    known: Sequence[str] = (),
) -> Progress:
    """Search ``target``, and ``tell`` of every finding, and often of progress.

    ``stored`` histories that fit the target are replayed first, on top of the budget. Signatures
    that are ``known`` are passed over. Returns the final progress. Raises `AdapterMistake`.
    """
    try_out(target)
    passed_over = set(known)
    done = Progress(0, 0, scope=target.scope)
    started, replayed_steps = time.monotonic(), 0
    for driver, ran in _histories(target, seed, budget, passed_over, stored):
        milestones = done.milestones + ran.milestones if ran.milestones else done.milestones
        steps = done.steps + len(ran.history.operations)
        done = replace(done, steps=steps, histories=done.histories + 1, milestones=milestones)
        if ran.unjudged:
            done = replace(done, unjudged=done.unjudged + ran.unjudged)
        if ran.breach is not None:
            shrinking = partial(_shrinking, tell, done)
            found = settle(target, ran.history, ran.breach, passed_over, shrinking)
            if found is not None:
                passed_over |= {found.signature, ran.breach.signature}
                tell(replace(found, seed=seed, driver=driver, at_step=done.steps))
        tell(done)
        if driver == "corpus":
            started, replayed_steps = time.monotonic(), done.steps
        if driver == "soak" and done.steps - replayed_steps >= budget.steps:
            break
        if budget.seconds is not None and time.monotonic() - started > budget.seconds:
            break
    return done


def _shrinking(
    tell: Callable[[Progress], None], now: Progress, signature: str, operations: int
) -> None:
    tell(replace(now, shrinking=(signature, operations)))


def by_machine(
    target: Target,
    seed: int,
    examples: int,
    steps: int,
    known: Callable[[], frozenset[str]] = frozenset,
) -> Iterator[JudgedHistory]:
    """The histories of the state machine, in the form in which the soak yields its own."""
    for ran in machine.search(target, seed, examples, steps, known):
        yield (
            JudgedHistory(ran.history, ran.breach)
            if isinstance(ran, machine.Broken)
            else JudgedHistory(ran, None)
        )


def _histories(
    target: Target, seed: int, budget: Budget, known: set[str], stored: Sequence[History]
) -> Iterator[tuple[str, JudgedHistory]]:
    for one in replayed(target, stored, known.__contains__):
        yield "corpus", one
    for one in by_machine(
        target, seed, budget.examples, budget.example_steps, lambda: frozenset(known)
    ):
        yield "state machine", one
    for one in soak(target, seed, known.__contains__):
        yield "soak", one

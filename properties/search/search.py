"""A search of one system: a corpus if there is one, the state machine, then the soak.

Every new finding is shrunk as it comes, and the search goes on with its signature known, so that a
shallow bug does not hide a deep one. Its findings are a function of the system, the corpus, the
seed and the budget in steps alone; only a limit in seconds depends on the machine.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.drivers import machine
from radixproof.properties.drivers.soak import soak
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.replaying import replayed
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.progress import Place, Progress

Ran: TypeAlias = tuple[Place, JudgedHistory]
"""A history, and the place behind it."""
CORPUS, MACHINE, SOAK = "corpus", "state machine", "soak"
"""The drivers, in their order."""


def calm_collector() -> None:
    """Exclude import-time objects from garbage collection, and collect rarely.

    A search leaves no large cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def search(
    target: Target,
    seed: int,
    budget: Budget,
    tell: Callable[[Progress | Finding], None],
    stored: Sequence[History] = (),
    known: Sequence[str] = (),
    begun: Progress | None = None,
    settled: Mapping[str, Finding] | None = None,
    rehearse: Callable[[Iterator[Ran]], Iterator[Ran]] = iter,
) -> Progress:
    """Search ``target``, and ``tell`` of every finding, and often of progress.

    ``stored`` histories that fit the target are replayed first, on top of the budget. Signatures
    that are ``known`` are passed over. Returns the final progress.

    A search that was ``begun`` in another process goes on where its last progress was told.
    Breaches by whose signature a finding is ``settled`` are not run again. ``rehearse`` is given
    the histories before they are run.
    """
    passed_over = set(known)
    done = Progress(0, 0, scope=target.scope)
    if begun is not None:
        done, passed_over = replace(begun, scope=target.scope), passed_over | begun.passed_over
    started = time.monotonic()
    histories = _histories(target, seed, budget, passed_over, stored, done.place)
    for place, ran in rehearse(histories):
        driver = place.driver
        milestones = done.milestones + ran.milestones if ran.milestones else done.milestones
        steps = done.steps + len(ran.history.operations)
        done = replace(done, steps=steps, histories=done.histories + 1, milestones=milestones)
        if ran.unjudged:
            done = replace(done, unjudged=done.unjudged + ran.unjudged)
        if ran.breach is not None:
            shrinking = partial(_shrinking, tell, done)
            found = (settled or {}).get(ran.breach.signature) or settle(
                target, ran.history, ran.breach, passed_over, shrinking
            )
            if found is not None:
                passed_over |= {found.signature, ran.breach.signature}
                tell(replace(found, seed=seed, driver=driver, at_step=done.steps))
        if driver == CORPUS:
            started, done = time.monotonic(), replace(done, replayed_steps=done.steps)
        done = replace(done, place=place, passed_over=frozenset(passed_over))
        tell(done)
        if driver == SOAK and done.steps - done.replayed_steps >= budget.steps:
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
    chunk: int = 0,
) -> Iterator[JudgedHistory]:
    """The histories of the state machine, in the form in which the soak yields its own."""
    for ran in machine.search(target, seed, examples, steps, known, chunk):
        yield (
            JudgedHistory(ran.history, ran.breach)
            if isinstance(ran, machine.Broken)
            else JudgedHistory(ran, None)
        )


def _histories(
    target: Target,
    seed: int,
    budget: Budget,
    known: set[str],
    stored: Sequence[History],
    place: Place | None,
) -> Iterator[Ran]:
    """Every history, with the place behind it; the first is the one at ``place``."""
    place = place or Place(CORPUS)
    if place.driver == CORPUS:
        for number, history in enumerate(stored[place.number :], place.number + 1):
            for one in replayed(target, [history], known.__contains__):
                yield Place(CORPUS, number), one
        place = Place(MACHINE, left=budget.examples)
    if place.driver == MACHINE:
        yield from _examples(target, seed, budget, known, place)
        place = Place(SOAK)
    for number, one in enumerate(
        soak(target, seed, known.__contains__, place.number), place.number + 1
    ):
        yield Place(SOAK, number), one


def _examples(
    target: Target, seed: int, budget: Budget, known: set[str], place: Place
) -> Iterator[Ran]:
    """The examples of the state machine, from a place on."""
    chunk, left, skip, done = place.number, place.left, place.skip, 0
    examples = by_machine(target, seed, left, budget.example_steps, lambda: frozenset(known), chunk)
    for one in examples:
        done += 1
        after = Place(MACHINE, chunk, left, done)
        if one.breach is not None or done == min(machine.CHUNK, left):
            after = Place(MACHINE, chunk + 1, left - done)
        if done > skip:
            yield after, one
        if after.number > chunk:
            chunk, left, skip, done = after.number, after.left, 0, 0

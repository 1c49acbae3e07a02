"""A search of one system: a corpus if there is one, the state machine, then the soak.

Every new finding is shrunk as it comes, and the search goes on with its signature known, from the
beginning of what showed it, so that a shallow bug does not hide a deep one. Its findings are a
function of the system, the corpus, the seed and the budget in steps alone; only a limit in seconds
depends on the machine.

This is a search in one process; `workers/side_by_side.py` is one in several, with the same
findings.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.properties.drivers import machine
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.passed_over import PassedOver
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.course import Course, Settled
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.trial import try_out
from radixproof.properties.search.units import Units, of_machine


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
    known: Collection[str] = (),
) -> Progress:
    """Search ``target``, and ``tell`` of every finding, and often of progress.

    ``stored`` histories that fit the target are replayed first, on top of the budget in steps, but
    not of that in seconds. Signatures that are ``known`` are passed over. Returns the final
    progress. Raises `AdapterMistake`.
    """
    try_out(target)
    stop = time_is_up(budget.seconds)
    units = Units(target, seed, budget, stored)
    course = Course(target.scope, budget, len(units.stored), known)
    while course.unit is not None and not stop():
        unit = course.unit
        broken = course.add(units.run(unit, course.known))
        now = replace(course.progress, steps=course.at_step)
        if broken is not None:
            passed_over = PassedOver(course.known)

            def shrinking(signature: str, operations: int, now: Progress = now) -> None:
                tell(replace(now, shrinking=(signature, operations)))

            found = settle(target, broken.history, broken.breach, passed_over, shrinking, stop)
            signature = None if found is None else found.signature
            course.settled(Settled(signature, passed_over.met))
            if found is not None:
                tell(replace(found, seed=seed, driver=unit.driver, at_step=now.steps))
        tell(course.progress)
    return course.progress


def time_is_up(seconds: float | None) -> Callable[[], bool]:
    """Tells whether so many seconds have gone by since it was made; never, without a limit."""
    if seconds is None:
        return lambda: False
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() >= ends


def by_machine(
    target: Target,
    seed: int,
    examples: int,
    steps: int,
    known: Callable[[], frozenset[str]] = frozenset,
) -> Iterator[JudgedHistory]:
    """The histories of the state machine, in the form in which the soak yields its own."""
    return map(of_machine, machine.search(target, seed, examples, steps, known))

"""Explorations: all of a scope, the shortest first, the same in any number of processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from radixproof.impl.operations import Evict, Insert, Lock, Unlock, WritingCheck
from radixproof.impl.registry import find
from radixproof.impl.system import Target, Unavailable
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.exploring.expanding import Expanded, expand
from radixproof.properties.exploring.explorer import Explored, Reached, TooManyStates, explore
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.exploring.working import Wrong, _found, work
from radixproof.properties.workers.lane import Done, Failed
from radixproof.properties.workers.pool import Pool

from ..guarding import fatal

SMALL = SmallScope(
    "small",
    Config(device_pages=1, host_pages=0),
    (Insert(Key((1,))), Evict(1), Unlock("r")),
    2,
)
SWA = SCOPES["swa"]


def explored(
    system: str,
    scope: SmallScope,
    depth: int,
    jobs: int = 1,
    before: Iterable[Expanded] = (),
    known: Iterable[str] = (),
) -> tuple[list[Expanded], list[Explored]]:
    states, levels = [], []
    with Pool(work, jobs) as pool:
        for one in explore(system, scope, depth, pool, frozenset(known), before):
            if isinstance(one, Explored):
                levels.append(one)
            else:
                states.append(one)
    return states, levels


def test_a_scope_can_be_exhausted() -> None:
    states, levels = explored("radix", SMALL, 50)
    last = levels[-1]
    assert last.exhausted
    assert last.depth < 50
    assert last.states == len(states) == len({one.key for one in states})
    assert last.transitions == sum(len(one.moves) for one in states)
    assert last.never == ["unlock"]
    assert last.found is None


def test_it_goes_the_same_way_in_any_number_of_processes() -> None:
    assert explored("radix", SWA, 2, jobs=1)[0] == explored("radix", SWA, 2, jobs=3)[0]


def test_it_goes_on_with_what_was_done_before() -> None:
    states, levels = explored("radix", SWA, 2)
    again, deeper = explored("radix", SWA, 2, before=states)
    assert again == []
    assert deeper[-1] == levels[-1]
    half, rest = states[:7], states[7:]
    assert explored("radix", SWA, 2, before=half)[0] == rest


def test_what_is_found_is_shortest_and_in_words() -> None:
    states, (last,) = explored("fault:split-parent-not-backed-up", SWA, 5)
    assert (states, last.depth) == ([], 0)
    assert last.found is not None
    assert last.found.signature == "PROGRESS/never-backed-up"
    assert last.found.folder.path.endswith("progress-never-backed-up-swa")
    assert "Found by the explorer" in last.found.folder.report
    assert len(last.found.folder.history) > 0


def test_what_is_known_is_passed_over() -> None:
    known = ["PROGRESS/never-backed-up"]
    _, levels = explored("fault:split-parent-not-backed-up", SWA, 1, known=known)
    assert levels[-1].found is None
    assert levels[-1].cut_off == {"PROGRESS/never-backed-up": 1}


def test_an_ack_that_is_late_is_found_no_deeper_than_it_is() -> None:
    config = Config(device_pages=2, host_pages=2)
    scope = SmallScope("acks", config, (Insert(Key((1,))), WritingCheck(blocking=True)), 3)
    _, levels = explored("fault:ack-keeps-lock", scope, 3)
    assert levels[-1].found is not None
    # The insert alone is enough: what drains the cache behind it acknowledges the backup.
    assert levels[-1].depth == 1


def test_a_system_that_cannot_be_explored_says_why() -> None:
    with pytest.raises(Unavailable, match="no fault is called"):
        explored("fault:nothing", SMALL, 1)


def test_names_of_a_scope_of_ones_own_are_not_exchanged() -> None:
    """Only ``s`` can be given back, so that ``r`` alone and ``s`` alone are not the same."""
    one, config = Key((1,)), Config(device_pages=1, host_pages=0)
    locks = (Insert(one), Lock("r", one), Lock("s", one), Unlock("s"))
    scope = SmallScope("locks", config, locks, 3)
    states, _ = explored("radix", scope, 4)
    assert b"\0\2" in {state.path for state in states}
    assert any(3 in dict(state.moves) for state in states if 1 not in state.path)


def test_there_may_be_too_many_states() -> None:
    reached = Reached(most=2)
    reached.note(Expanded(b"", b"0", moves=[(0, b"1")]))
    with pytest.raises(TooManyStates, match="more than 2 states"):
        reached.note(Expanded(b"\0", b"1", moves=[(1, b"2")]))


def test_repeat_is_broken_by_a_history_that_leads_elsewhere_when_it_is_run_again() -> None:
    reached = Reached()
    reached.note(Expanded(b"", b"0", moves=[(0, b"1")]))
    same, other = Expanded(b"\0", b"1"), Expanded(b"\0", b"2")
    for again in (same, other):
        reached.compare(SMALL, again)
    assert same.broken == []
    ((history, breach),) = other.broken
    assert history.operations == (Insert(Key((1,))),)
    assert breach.signature == "REPEAT/insert"
    assert breach.text == "step 1, insert [1]: the same operations lead to another state"


class Here:
    """A pool of this process alone, for a target that no other process finds by its name."""

    jobs = 1

    def __init__(self, target: Target) -> None:
        self.target = target

    def run(self, jobs: Iterable[Any]) -> Iterator[Done]:
        for job in jobs:
            if isinstance(job, Wrong):
                yield Done(job, _found(self.target, job))
            else:
                expanded = [
                    expand(self.target, job.scope, path, frozenset[str]().__contains__)
                    for path in job.paths
                ]
                yield Done(job, expanded)


class Ends(Here):
    """A system that ends its process at one history; jobs are done in an order of their own."""

    def __init__(self, target: Target, path: bytes, jobs: int) -> None:
        super().__init__(target)
        self.path, self.jobs = path, jobs

    def run(self, jobs: Iterable[Any]) -> Iterator[Any]:
        for job in sorted(jobs, key=lambda job: job.paths[0][::-1]):
            if self.path in job.paths:
                yield Failed(job, "it has ended")
            else:
                yield from super().run([job])


@pytest.mark.parametrize("jobs", [1, 2, 5, 50])
def test_all_before_a_history_that_ends_the_system_is_judged(jobs: int) -> None:
    states, _ = explored("radix", SWA, 3)
    some = 2 * len(states) // 3
    pool: Any = Ends(find("radix"), states[some].path, jobs)
    steps = explore("radix", SWA, 3, pool)
    judged = [next(one for one in steps if isinstance(one, Expanded)) for _ in range(some)]
    assert judged == states[:some]
    with pytest.raises(Unavailable, match="it has ended"):
        next(steps)


def test_a_job_that_fails_but_once_is_done_again() -> None:
    class EndsOnce(Ends):
        def run(self, jobs: Iterable[Any]) -> Iterator[Any]:
            try:
                yield from super().run(jobs)
            finally:
                self.path = b"over"

    states, _ = explored("radix", SWA, 2)
    pool: Any = EndsOnce(find("radix"), states[-2].path, 2)
    again = explore("radix", SWA, 2, pool)
    assert [one for one in again if isinstance(one, Expanded)] == states


def test_a_system_that_leaves_it_to_chance_is_a_finding() -> None:
    fatal.CHANCE.seed(1)
    target = fatal.by_chance()
    operations = (Insert(Key((1,))), Insert(Key((2,))), Evict(1))
    scope = SmallScope("by chance", Config(device_pages=4, host_pages=0), operations, 5)
    pool: Any = Here(target)
    *_, last = explore(target.name, scope, 5, pool)
    assert isinstance(last, Explored)
    assert last.found is not None
    assert last.found.signature == "REPEAT/evict"

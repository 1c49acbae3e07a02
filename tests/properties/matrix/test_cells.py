"""What a cell says: clean only where enough was searched, and all that is needed was shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from radixproof.impl.scope import ONE_TIER, Scope
from radixproof.model.config import Component, Pool
from radixproof.model.verdict import Property
from radixproof.properties.coverage.reach import reachable
from radixproof.properties.judging.applicable import Check, Unjudged
from radixproof.properties.matrix.cells import BY_CHECKS_ALONE, JUDGES, State, judged_by, states
from radixproof.properties.results.result import Ending
from radixproof.properties.search.progress import Progress

from ..results.made_up import finding, progress, result

WINDOWED = replace(Scope(), components=(Component.FULL, Component.SWA))


def searched(scope: Scope, *unjudged: Unjudged) -> Progress:
    """A search that has met every milestone."""
    milestones, missing = Counter(reachable(scope)), Counter(unjudged)
    return Progress(1_003, 20, milestones=milestones, unjudged=missing, scope=scope, complete=True)


def test_a_search_without_findings_is_clean() -> None:
    assert set(states(result(now=searched(Scope()))).values()) == {State.CLEAN}


def test_what_was_found_is_found_and_the_rest_is_clean() -> None:
    cells = states(result([finding("OWN-H/swa_host-lost")], searched(Scope())))
    assert [label for label, state in cells.items() if state is State.FOUND] == ["OWN-H"]
    assert cells["OWN"] is State.CLEAN


@pytest.mark.parametrize(
    ("now", "ending", "state"),
    [
        (progress(1), Ending.COMPLETE, State.QUIET),
        (progress(complete=False), Ending.TIME, State.TOO_LITTLE),
        (progress(complete=False), Ending.RUNNING, State.TOO_LITTLE),
        (progress(complete=False), Ending.INTERRUPTED, State.TOO_LITTLE),
        (progress(), Ending.FAILED, State.TOO_LITTLE),
    ],
)
def test_what_was_not_searched_to_the_end_is_not_clean(
    now: Progress, ending: Ending, state: State
) -> None:
    cells = states(result([finding()], now, ending))
    assert cells["PIN"] is State.FOUND
    assert cells["PROGRESS"] is state
    assert State.CLEAN not in cells.values()


def test_what_has_not_begun_is_not_run() -> None:
    of = result(ending=Ending.FAILED, reason="not here")
    of.progress = None
    assert set(states(of).values()) == {State.NOT_RUN}


def test_what_a_system_does_not_have_is_not_asked() -> None:
    cells = states(result(now=searched(ONE_TIER)))
    nothing = {label for label, state in cells.items() if state is State.NOTHING}
    assert nothing == {"OWN-H", "MAP", "BACKUP", "RANK"}


def test_what_is_judged_by_less_is_clean_as_far_as_it_shows() -> None:
    cells = states(result(now=searched(WINDOWED, Unjudged(Check.OWNERS, Pool.FULL_HOST))))
    in_part = {label for label, state in cells.items() if state is State.IN_PART}
    assert in_part == {"OWN-H", "PIN"}


def test_what_cannot_be_judged_at_all_is_not_clean() -> None:
    pools = [pool for pool in Pool if pool.component is not Component.MAMBA]
    locks = [Unjudged(Check.LOCKS, pool) for pool in pools]
    cells = states(result(now=searched(WINDOWED, *locks, Unjudged(Check.EVENTS, Pool.FULL))))
    assert cells["LOCK"] is cells["EVENT"] is State.UNSHOWN
    assert states(result(now=searched(WINDOWED, *locks[1:])))["LOCK"] is State.IN_PART
    of_all = states(result(now=searched(Scope(), *locks)))
    assert of_all["LOCK"] is State.IN_PART, "there are those of MAMBA"


def test_every_check_is_of_some_property() -> None:
    assert set(JUDGES) == set(Check)
    assert all(judged_by(Unjudged(check, pool)) for check in Check for pool in check.pools)
    of_checks = {kind for kinds in JUDGES.values() for kind in kinds}
    assert set(BY_CHECKS_ALONE) <= of_checks <= set(Property)

"""A system without any optional part: it is checked from end to end, and nothing that it lacks is
called.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.operations import Insert, LoadBack, Match, Refuse, WritingCheck
from radixproof.impl.registry import find
from radixproof.impl.scope import ONE_TIER
from radixproof.impl.sight import NODES_ONLY, Sight
from radixproof.impl.system import Target, Unavailable, close
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.properties.accepting.methods import complete
from radixproof.properties.coverage.reach import reachable
from radixproof.properties.drivers import baseline
from radixproof.properties.drivers.soak import one
from radixproof.properties.judging.applicable import Check, NotShown
from radixproof.properties.running.run import Run
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.finding import Finding
from radixproof.properties.search.progress import Progress
from radixproof.properties.search.search import search
from toy_adapter import SIGHT, Adapter, target
from toy_bugs import with_bug
from toy_cache import Node, ToyCache

PLAIN = Config(host_pages=0)
UNJUDGED = {Check.EVENTS, Check.HOST_HITS, Check.LEAF_SETS}


class ForgetsAncestors(ToyCache):
    """Its unlock leaves the nodes above locked."""

    def unlock(self, node: Node) -> None:
        node.locks -= 1


def searched(toy: Target, steps: int = 1500) -> tuple[Progress, list[str]]:
    found: list[str] = []

    def tell(news: Progress | Finding) -> None:
        if isinstance(news, Finding):
            found.append(news.signature)

    return search(toy, 1, Budget(steps=steps, examples=10), tell), found


def test_a_search_of_the_toy_is_clean_and_goes_everywhere_within_its_reach() -> None:
    done, found = searched(target, 6_000)
    assert found == []
    assert done.unreached == []
    assert {one.check for one in done.unjudged} == UNJUDGED
    assert len(reachable(ONE_TIER)) == 13


def test_less_of_the_toy_shows_enough_to_find_what_is_wrong_with_it() -> None:
    bare = replace(with_bug("ancestors", ForgetsAncestors), sight=NODES_ONLY)
    found = {
        ran.breach.signature
        for number in range(30)
        if (ran := one(bare, 1, number, lambda _: False)).breach
    }
    assert found == {"PROGRESS/stopped-early", "RECENCY/access-time"}


def test_the_baseline_runs_the_toy() -> None:
    assert not any(baseline.one(target, 1, number).breach for number in range(30))


def test_what_the_toy_does_not_show_is_counted() -> None:
    run = Run(target, PLAIN, every=1)
    run.step(Insert(Key((1, 2))))
    assert run.finish() == run.step(Match(Key((1,)))) == []
    counted = {one.check: count for one, count in run.unjudged.items()}
    assert counted[Check.EVENTS] == 2
    assert counted[Check.HOST_HITS] == 1
    assert counted[Check.LEAF_SETS] == 2
    assert set(counted) == UNJUDGED
    run.close()


def test_our_own_implementation_shows_everything() -> None:
    pytest.importorskip("torch")
    run = Run(find("radix"), PLAIN, every=1)
    run.step(Insert(Key((1, 2))))
    assert not run.unjudged
    run.close()


@pytest.mark.parametrize("operation", [WritingCheck(), LoadBack(Key((1,))), Match(Key((1,), "a"))])
def test_the_toy_is_put_to_nothing_that_its_scope_excludes(operation: Match) -> None:
    run = Run(target, PLAIN, every=1)
    assert run.step(operation) == []
    assert "skipped" in str(run.steps[-1].outcome)


def test_a_system_must_have_what_its_scope_calls_for() -> None:
    toy = Adapter(PLAIN)
    with pytest.raises(
        Unavailable, match="the scope of Adapter calls for refuse, which it does not"
    ):
        complete(toy, replace(ONE_TIER, operations=(*ONE_TIER.operations, Refuse)))
    with pytest.raises(Unavailable, match="free_swa, swa_of"):
        complete(toy, replace(ONE_TIER, components=(Component.FULL, Component.SWA)))
    with pytest.raises(Unavailable, match="in_flight"):
        complete(toy, replace(ONE_TIER, hosted=True))
    with pytest.raises(Unavailable, match="with a host tier"):
        Run(target, Config())


@pytest.mark.parametrize(
    ("sight", "missing"),
    [
        (replace(SIGHT, leaf_sets=True), "sets of evictable device leaves"),
        (replace(SIGHT, host_hits=(Component.FULL,)), "what a match finds on the host only"),
    ],
)
def test_what_is_declared_must_be_shown(sight: Sight, missing: str) -> None:
    run = Run(replace(target, sight=sight), PLAIN, every=1)
    with pytest.raises(NotShown, match=missing):
        run.step(Match(Key((1,))))


def test_a_system_without_close_has_nothing_to_release() -> None:
    toy = Adapter(PLAIN)
    close(toy)
    assert toy.allocate(8) == [*range(8)]
    assert toy.available(Pool.FULL) == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scope": SIGHT}, "scope must be a Scope, got Sight"),
        ({"sight": ONE_TIER}, "sight must be a Sight, got Scope"),
        ({"dialect": Adapter}, "dialect must be a Dialect, got <class"),
        ({"build": Adapter(PLAIN)}, "build must be a function from a Config to a System, got"),
        ({"build": lambda: None}, "build must be a function from a Config to a System, got"),
    ],
)
def test_a_target_must_be_made_of_what_it_names(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=f"Target: {says}"):
        replace(target, **changes)


def test_a_sight_must_be_made_of_what_it_names() -> None:
    with pytest.raises(TypeError, match="Sight: slots must be a tuple of Pools, got <Pool"):
        Sight(slots=Pool.FULL)  # type: ignore[arg-type]

"""What a search can reach, and that it says so when it has not been everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    OPERATIONS,
    Decode,
    Match,
    Operation,
    Refuse,
    RunCopies,
)
from radixproof.impl.registry import find
from radixproof.impl.scope import Scope
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.properties.coverage.milestones import Milestone
from radixproof.properties.coverage.reach import reachable
from radixproof.properties.drivers.soak import one
from radixproof.properties.search.progress import Progress

from .histories import CASES, M, named


def test_everything_is_within_reach_of_a_system_that_can_be_put_to_everything() -> None:
    assert reachable(Scope(launches=(Decode,))) == list(Milestone)


@pytest.mark.parametrize(("milestone", "config", "operations"), named(CASES))
def test_what_a_history_shows_needs_what_it_uses(
    milestone: Milestone, config: Config, operations: list[Operation]
) -> None:
    """A scope that has no more than the history uses reaches its milestone: nothing is asked for in
    vain.
    """
    scope = Scope(
        components=config.components,
        eviction_policies=(config.eviction_policy,),
        operations=(Match, *map(type, operations)),
        page_sizes=(config.page_size,),
        hosted=config.hosted,
        hostless=not config.hosted,
        write_through=config.hosted and not config.write_back,
        write_back=config.write_back,
        hit_thresholds=config.threshold > 1,
        load_thresholds=config.load_threshold > 1,
        bigram=config.bigram,
        namespaces=any(
            operation.key.namespace for operation in operations if hasattr(operation, "key")
        ),
        ranks=config.ranks > 1,
        failing_copies=any(
            isinstance(operation, RunCopies) and operation.fail for operation in operations
        ),
        launches=(Decode,),
    )
    assert milestone in reachable(scope)


@pytest.mark.parametrize(
    ("scope", "milestone"),
    [
        (Scope(components=(Component.FULL,)), M.WINDOW_VETO),
        (Scope(components=(Component.FULL, Component.SWA)), M.STATE_VETO),
        (Scope(eviction_policies=(EvictionPolicy.LRU,)), M.EVICTION_BY_OTHER_ORDER),
        (
            Scope(operations=tuple(kind for kind in OPERATIONS if kind is not Refuse)),
            M.LOAD_REFUSED,
        ),
        (Scope(hostless=False), M.EVICTION_WITHOUT_HOST),
        (Scope(hosted=False), M.SPLIT_HOST_ONLY),
        (Scope(hosted=False), M.LOAD_OF_CHAIN),
        (Scope(hosted=False), M.WRITE_BACK_OF_LEAF),
        (Scope(page_sizes=(1,)), M.BOUNDARY_INSIDE_PAGED_NODE),
        (Scope(write_through=False), M.BACKUP_OF_ANCESTORS),
        (Scope(load_thresholds=False), M.LOAD_TOO_SHORT),
        (Scope(namespaces=False), M.NAMESPACES_SHARE),
        (Scope(write_back=False), M.WRITE_BACK_DELETION),
        (Scope(bigram=False), M.BIGRAM_MATCH),
        (Scope(ranks=False), M.POLL_ONE_RANK_AHEAD),
        (Scope(failing_copies=False), M.BACKUP_FAILS),
        (Scope(kept_matches=False), M.LATE_AFTER_SPLIT),
    ],
    ids=lambda value: value.name if isinstance(value, Milestone) else "",
)
def test_what_a_system_cannot_be_put_to_is_out_of_reach(scope: Scope, milestone: Milestone) -> None:
    assert milestone not in reachable(scope)
    assert milestone not in Progress(0, 0, scope=scope).unreached
    assert M.DUPLICATE in Progress(0, 0, scope=scope).unreached


def test_random_histories_meet_only_what_is_within_reach() -> None:
    target = find("radix")
    scope = replace(target.scope, components=(Component.FULL,), write_back=False, ranks=False)
    met = {
        milestone
        for number in range(0, 150, 3)
        for milestone in one(replace(target, scope=scope), 1, number, lambda _: False).milestones
        or ()
    }
    assert len(met) > 20
    assert met <= set(reachable(scope))


def test_what_cannot_be_in_one_cache_is_out_of_reach() -> None:
    def no_windows(config: Config) -> str:
        return "none" if config.write_back and config.window is not None else ""

    def out_of_reach(scope: Scope) -> set[Milestone]:
        return set(reachable(Scope())) - set(reachable(scope))

    both = Scope(components=(Component.FULL, Component.SWA), cannot=no_windows)
    with_both = replace(both, cannot=None)
    lost = out_of_reach(both) - out_of_reach(with_both)
    assert lost == {Milestone.WRITE_BACK_INTERIOR}
    assert Milestone.WRITE_BACK_INTERIOR in reachable(Scope(cannot=no_windows))

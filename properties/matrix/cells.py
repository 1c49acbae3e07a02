"""What a search says of one property of a system, where it found nothing that breaks it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from radixproof.impl.scope import Scope
from radixproof.model.config import Component, Pool
from radixproof.model.verdict import Property
from radixproof.properties.judging.applicable import Check, Unjudged
from radixproof.properties.results.result import SystemResult


class State(StrEnum):
    """What a cell of the table says."""

    FOUND = "found"
    CLEAN = "clean"
    IN_PART = "clean as far as it shows"
    QUIET = "nothing found in a short search"
    UNSHOWN = "not shown"
    NOTHING = "nothing to ask"
    TOO_LITTLE = "not searched enough"
    NOT_RUN = "not run"


OWNING = (Property.OWN, Property.OWN_H)
JUDGES: Mapping[Check, tuple[Property, ...]] = {
    Check.LOCKS: (Property.LOCK,),
    Check.SIZES: (Property.SIZE,),
    Check.FREE_COUNTS: OWNING,
    Check.OWNERS: (*OWNING, Property.PIN),
    Check.CONTENT: (Property.CONTENT,),
    Check.SERVED: (Property.CONTENT,),
    Check.HOST_HITS: (Property.MATCH,),
    Check.MAP: (Property.MAP,),
    Check.EVENTS: (Property.EVENT,),
    Check.FREE_LISTS: OWNING,
    Check.LEAF_SETS: (Property.LEAF,),
    Check.LRU_LISTS: (Property.LEAF,),
    Check.RECENCY_LISTS: (Property.RECENCY,),
    Check.AGES: (Property.RECENCY,),
    Check.MARKS: (Property.QUIESCE, Property.PIN),
    Check.ALL_MARKS: (Property.PIN,),
    Check.ROWS: (Property.PIN,),
}
"""The properties that a check can find broken; where it cannot be made, less judges them."""
BY_CHECKS_ALONE = (Property.LOCK, Property.LEAF, Property.MAP, Property.EVENT)
"""Properties that nothing else can find broken."""


def states(result: SystemResult) -> dict[str, State]:
    """The state of every property of a system that was searched, or was to be, by its label."""
    broken = {finding.signature.partition("/")[0] for finding in result.findings}
    return {
        kind.label: State.FOUND if kind.label in broken else _unbroken(kind, result)
        for kind in Property
    }


def _unbroken(kind: Property, result: SystemResult) -> State:
    progress = result.progress
    if progress is None:
        return State.NOT_RUN
    if not _is_asked(kind, progress.scope):
        return State.NOTHING
    missing = [one for one in progress.unjudged if kind in judged_by(one)]
    if kind in BY_CHECKS_ALONE and not _left(kind, progress.scope, missing):
        return State.UNSHOWN
    if not result.enough:
        return State.TOO_LITTLE
    if progress.unreached:
        return State.QUIET
    return State.IN_PART if missing else State.CLEAN


def judged_by(one: Unjudged) -> tuple[Property, ...]:
    """The properties that a check can find broken in the pool that it is about."""
    other = Property.OWN if one.pool.on_host else Property.OWN_H
    return tuple(kind for kind in JUDGES[one.check] if kind is not other)


def _left(kind: Property, scope: Scope, missing: Collection[Unjudged]) -> bool:
    """Whether there is a check of a property that could be made in some pool."""
    return any(
        Unjudged(check, pool) not in missing
        for check, kinds in JUDGES.items()
        if kind in kinds
        for pool in check.pools
        if _has(scope, pool)
    )


def _has(scope: Scope, pool: Pool) -> bool:
    return pool.component in scope.components and (scope.hosted or not pool.on_host)


def _is_asked(kind: Property, scope: Scope) -> bool:
    """Whether a system that can be put to so much has what a property is about."""
    match kind:
        case Property.OWN_H:
            return scope.hosted
        case Property.BACKUP:
            return scope.hosted and scope.write_through
        case Property.MAP:
            return Component.SWA in scope.components
        case Property.RANK:
            return scope.ranks
    return True

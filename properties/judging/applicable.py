"""Which checks can be made of a system, by what it shows: decided once for all runs with the same
pools, so that a step costs nothing for it.

Nodes, keys and residency are always shown, and what needs only them is always checked. Everything
else is a `Check`, for each pool that it concerns: there it is either judged, or passed over and
counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cache
from typing import NamedTuple, TypeAlias, TypeVar

from radixproof.impl.sight import Sight
from radixproof.impl.system import Unavailable
from radixproof.model.config import DEVICE, HOST, Config, Pool

Pools: TypeAlias = tuple[Pool, ...]
T = TypeVar("T")


class NotShown(Unavailable):
    """A system does not show what its `Sight` declares. The message says what is missing."""


def shown(value: T | None, what: str) -> T:
    """What a system has declared that it shows. Raises `NotShown` if it is missing."""
    if value is None:
        raise NotShown(
            f"the system's sight declares {what}, but an observation has none: "
            "show them, or do not declare them"
        )
    return value


class Moment(StrEnum):
    """When a check is due."""

    LOOK = "with every observation"
    INSPECTION = "with every whole observation"
    MATCH = "with every match"


AUX = (*DEVICE[1:], *HOST[1:])


def _locks(sight: Sight, pool: Pool) -> bool:
    return pool.component in (sight.host_locks if pool.on_host else sight.locks)


class Check(Enum):
    """What is judged beyond the nodes themselves: in words, with the time when it is due."""

    LOCKS = (
        "lock counts are those of the receipts and copies that hold it",
        Moment.LOOK,
        tuple(Pool),
    )
    SIZES = "evictable and protected sizes are the sums of the nodes", Moment.LOOK, DEVICE
    FREE_COUNTS = "free and owned slots add up to the pool", Moment.LOOK, tuple(Pool)
    OWNERS = "no slot has two owners, and none that is held is replaced", Moment.LOOK, tuple(Pool)
    CONTENT = "bytes are those that were computed", Moment.LOOK, tuple(Pool)
    SERVED = "a match serves the slots of the nodes on its path", Moment.MATCH, (Pool.FULL,)
    HOST_HITS = "a match says what is on the host only", Moment.MATCH, (Pool.FULL,)
    MAP = "the full→SWA map is that of the nodes", Moment.LOOK, (Pool.SWA,)
    EVENTS = "the events replay to what is resident", Moment.LOOK, (Pool.FULL,)
    FREE_LISTS = "free lists hold the slots that nobody owns", Moment.INSPECTION, tuple(Pool)
    LEAF_SETS = (
        "the sets of evictable leaves are those of the definition",
        Moment.INSPECTION,
        (Pool.FULL, Pool.FULL_HOST),
    )
    LRU_LISTS = "LRU lists hold what is on their tier", Moment.INSPECTION, AUX
    RECENCY_LISTS = "LRU lists are in the order of use", Moment.INSPECTION, AUX
    AGES = "nodes are as old as their use", Moment.INSPECTION, (Pool.FULL,)
    MARKS = "only what is being copied is marked", Moment.INSPECTION, (Pool.FULL, Pool.FULL_HOST)
    ALL_MARKS = "all that is being copied is marked", Moment.INSPECTION, (Pool.FULL, Pool.FULL_HOST)
    ROWS = "requests keep the tree's slots that they hold", Moment.INSPECTION, (Pool.FULL,)

    def __init__(self, sentence: str, moment: Moment, pools: Pools) -> None:
        self.sentence, self.moment, self.pools = sentence, moment, pools


class Unjudged(NamedTuple):
    """A check for which a system does not show enough, in one of the pools that it concerns."""

    check: Check
    pool: Pool

    def __str__(self) -> str:
        return f"{self.pool.name}: {self.check.sentence}"


def _shows(check: Check, pool: Pool, sight: Sight, pools: Pools) -> bool:
    """Whether a check can be made in a pool that it concerns. Every check is here, and nowhere
    else.
    """
    slots = pool in sight.slots
    match check:
        case Check.LOCKS:
            return _locks(sight, pool)
        case Check.SIZES:
            return sight.sizes
        case Check.FREE_COUNTS:
            return pool in sight.free_counts
        case Check.OWNERS | Check.CONTENT | Check.SERVED | Check.ROWS:
            return slots
        case Check.FREE_LISTS:
            return pool in sight.free_lists and slots
        case Check.MAP:
            return sight.swa_map and slots and Pool.FULL in sight.slots
        case Check.HOST_HITS:
            return all(pool.component in sight.host_hits for pool in pools)
        case Check.EVENTS:
            return sight.events
    return _shows_to_inspection(check, pool, sight)


def _shows_to_inspection(check: Check, pool: Pool, sight: Sight) -> bool:
    marked = sight.backup_marks if pool.on_host else sight.load_marks
    match check:
        case Check.LEAF_SETS:
            return sight.leaf_sets
        case Check.LRU_LISTS:
            return sight.lru_lists
        case Check.RECENCY_LISTS:
            return sight.lru_lists and sight.recency
        case Check.AGES:
            return sight.recency
        case Check.MARKS:
            return marked
        case Check.ALL_MARKS:
            return marked and sight.marks_after_split
    raise AssertionError(f"{check} does not say what it needs")


def _concerned(check: Check, pools: Pools) -> Pools:
    """Those of the pools of a cache that a check concerns."""
    if check in (Check.MARKS, Check.ALL_MARKS) and Pool.FULL_HOST not in pools:
        return ()
    return tuple(pool for pool in check.pools if pool in pools)


@dataclass(frozen=True, slots=True)
class Applicable:
    """Per `Check`, under its name: the pools in which it can be made of one system."""

    locks: Pools
    sizes: Pools
    free_counts: Pools
    owners: Pools
    content: Pools
    served: Pools
    host_hits: Pools
    map: Pools
    events: Pools
    free_lists: Pools
    leaf_sets: Pools
    lru_lists: Pools
    recency_lists: Pools
    ages: Pools
    marks: Pools
    all_marks: Pools
    rows: Pools


def applicable(sight: Sight, config: Config) -> Applicable:
    """What can be judged of a cache of this configuration that shows so much."""
    return _applicable(sight, config.pools)


def passed_over(sight: Sight, config: Config) -> dict[Moment, tuple[Unjudged, ...]]:
    """What cannot be judged of it, by when it would be due."""
    return _passed_over(sight, config.pools)


@cache
def _applicable(sight: Sight, pools: Pools) -> Applicable:
    return Applicable(
        **{
            check.name.lower(): tuple(
                pool for pool in _concerned(check, pools) if _shows(check, pool, sight, pools)
            )
            for check in Check
        }
    )


@cache
def _passed_over(sight: Sight, pools: Pools) -> dict[Moment, tuple[Unjudged, ...]]:
    missing = [
        Unjudged(check, pool)
        for check in Check
        for pool in _concerned(check, pools)
        if not _shows(check, pool, sight, pools)
    ]
    return {
        moment: tuple(one for one in missing if one.check.moment is moment) for moment in Moment
    }

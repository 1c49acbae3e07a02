"""What milestones need of a system: components, orders, operations, and what not every cache is."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from radixproof.impl.operations import Operation
from radixproof.impl.scope import Scope
from radixproof.model.config import Component, EvictionPolicy


class Trait(Enum):
    """What not every cache is or does; the value is the field of `Scope` that says so."""

    HOSTED = "hosted"
    HOSTLESS = "hostless"
    WRITE_THROUGH = "write_through"
    WRITE_BACK = "write_back"
    LOAD_THRESHOLDS = "load_thresholds"
    NAMESPACES = "namespaces"
    BIGRAM = "bigram"
    RANKS = "ranks"
    FAILING = "failing_copies"
    PAGED = "page_sizes"
    ENDS_AT_STOPS = "ends_at_stops"
    KEPT = "kept_matches"
    LAUNCHES = "launches"


(
    HOSTED,
    HOSTLESS,
    WRITE_THROUGH,
    WRITE_BACK,
    LOAD_THRESHOLDS,
    NAMESPACES,
    BIGRAM,
    RANKS,
    FAILING,
    PAGED,
    ENDS_AT_STOPS,
    KEPT,
    LAUNCHES,
) = Trait
ON_A_HOST = (WRITE_THROUGH, WRITE_BACK, LOAD_THRESHOLDS, FAILING)
"""Traits that mean nothing without a host tier."""
Need: TypeAlias = Component | EvictionPolicy | Trait | type[Operation]
AnyOf: TypeAlias = tuple[Need, ...]


def offers(scope: Scope, need: Need | AnyOf) -> bool:
    """Whether a system with this scope has what is needed; of several in a tuple, one is enough."""
    match need:
        case tuple():
            return any(offers(scope, one) for one in need)
        case Component():
            return need in scope.components
        case EvictionPolicy():
            return need in scope.eviction_policies
        case Trait.PAGED:
            return scope.page_sizes is None or max(scope.page_sizes) > 1
        case Trait():
            here = scope.hosted or need not in ON_A_HOST
            return here and bool(getattr(scope, need.value))
    return need in scope.offers()

"""Sabotage: our own cache does one small wrong thing, once, at one chosen step of a history.

As a fault, a sabotage replaces methods of one live cache, and the cache knows nothing of it.
"""

from radixproof.impl.sabotage import (  # noqa: F401  (importing a family registers its kinds)
    acknowledging,
    allocating,
    announcing,
    backing_up,
    counting,
    evicting,
    fetching,
    host,
    inserting,
    loading,
    locking,
    matching,
    ordering,
    splitting,
)
from radixproof.impl.sabotage.planting import KINDS, Kind, Policy, Sabotaged, Situation, scouted

__all__ = ["KINDS", "Kind", "Policy", "Sabotaged", "Situation", "scouted"]

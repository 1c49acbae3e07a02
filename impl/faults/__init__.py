"""Planted bugs: real historical bugs, each a few lines that change one live cache of ours.

Nothing of them is in the cache itself: a fault replaces methods of one object after it has been
built.
"""

from radixproof.impl.faults import (  # noqa: F401  (importing a family registers its faults)
    acks,
    allocation,
    backup,
    chains,
    drives,
    events,
    eviction,
    host_eviction,
    host_insert,
    host_room,
    in_flight,
    insertion,
    keys,
    late_uses,
    loading,
    locks,
    mamba,
    match_ends,
    matching,
    orders,
    quotas,
    receipts,
    recency,
    refilling,
    resetting,
    reviving,
    sizes,
    splitting,
    state_copies,
    together,
    windows,
    write_back,
)
from radixproof.impl.faults.planting import FAULTS, Fault, target

__all__ = ["FAULTS", "Fault", "target"]

"""What a system lets be seen: declared, never inferred from what happens to be missing.

A check that needs what is not shown is passed over and counted as passed over
(`radixproof.properties.judging.applicable`), so that a clean run can say what it could not judge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from radixproof.model.config import COMPONENTS, POOLS, Component, Pool


@dataclass(frozen=True, slots=True)
class Sight:
    """What observations of a system show beyond its nodes. The default is everything.

    Every system shows its nodes: their keys, how they hang together, and which pools hold them;
    without these nothing could be judged. All else is optional. What is not declared is not looked
    at, even if it is there; what is declared but missing is an error.
    """

    slots: tuple[Pool, ...] = POOLS
    """Pools in which nodes show the numbers of their slots. In the others a node shows as many
    numbers as it has slots, and they mean nothing.
    """
    locks: tuple[Component, ...] = COMPONENTS
    """Components for which nodes show how often they are locked on the device."""
    host_locks: tuple[Component, ...] = COMPONENTS
    """The same on the host."""
    backup_marks: bool = True
    """Nodes show whether a backup of them is in flight."""
    load_marks: bool = True
    """Nodes show whether a load-back into them is in flight."""
    marks_after_split: bool = True
    """All parts of a node that is split while it is marked are marked. If not, a mark that is
    present is judged, but one that is missing is not.
    """
    sizes: bool = True
    """Evictable and protected sizes per component."""
    free_counts: tuple[Pool, ...] = POOLS
    """Pools that show how many of their slots are free."""
    free_lists: tuple[Pool, ...] = POOLS
    """Pools that show which of their slots are free."""
    swa_map: bool = True
    """The full→SWA map, where the cache has SWA."""
    leaf_sets: bool = True
    """The sets of nodes that eviction may take, on each tier."""
    lru_lists: bool = True
    """Which nodes are in the LRU lists of SWA and MAMBA, on each tier."""
    recency: bool = True
    """When each node was last used, and (with ``lru_lists``) that the lists are in that order."""
    host_hits: tuple[Component, ...] = COMPONENTS
    """A match says which part of it is on the host only, if the cache has no other
    components than these.
    """
    events: bool = True
    """Every observation has the stream of events since the last one, which may be empty."""

    def __post_init__(self) -> None:
        """Raises TypeError for a field that is not a tuple of what it names."""
        for name, known in (
            ("slots", POOLS),
            ("locks", COMPONENTS),
            ("host_locks", COMPONENTS),
            ("free_counts", POOLS),
            ("free_lists", POOLS),
            ("host_hits", COMPONENTS),
        ):
            value = getattr(self, name)
            kind = type(known[0])
            if not isinstance(value, tuple) or not all(isinstance(one, kind) for one in value):
                raise TypeError(f"Sight: {name} must be a tuple of {kind.__name__}s, got {value!r}")

    @classmethod
    def full(
        cls, *, locks: bool = False, free: bool = False, sizes: bool = False, ages: bool = False
    ) -> Sight:
        """What `NodeView.full` and `Observation.full` show if they are given these arguments;
        ``sizes`` stands for ``evictable`` and ``protected``.
        """
        of_free = (Pool.FULL,) if free else ()
        return replace(
            NODES_ONLY,
            slots=(Pool.FULL,),
            locks=(Component.FULL,) if locks else (),
            sizes=sizes,
            free_counts=of_free,
            free_lists=of_free,
            recency=ages,
        )


NODES_ONLY = Sight(
    slots=(),
    locks=(),
    host_locks=(),
    backup_marks=False,
    load_marks=False,
    marks_after_split=False,
    sizes=False,
    free_counts=(),
    free_lists=(),
    swa_map=False,
    leaf_sets=False,
    lru_lists=False,
    recency=False,
    host_hits=(),
    events=False,
)
"""The least: nodes, their keys, and which pools hold them. To be extended, as in
``replace(NODES_ONLY, sizes=True)``.
"""

"""A target behind a filter: the same system, of which less is seen.

It measures the power left where a system hides something, and shows that nothing hidden is relied
on: observations of the system are cut down to a `Sight`, and judged by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from radixproof.impl.observation import NodeView, Observation, PerComponent, SlotsPerPool, Whole
from radixproof.impl.sight import Sight
from radixproof.impl.system import Lookup, System, Target
from radixproof.model.config import DEVICE, HOST, Component, Config, Pool
from radixproof.model.key import Key

T = TypeVar("T")

BY_BEHAVIOUR = Sight(
    locks=(),
    host_locks=(),
    load_marks=False,
    leaf_sets=False,
    lru_lists=False,
    recency=False,
    host_hits=(),
)
"""What a compiled tree shows that was not built for inspection (SGLang's Rust core): nodes, slots,
backups in flight, sizes.

What locks, lists, leaf sets and hits would show has to be inferred from what eviction takes.
"""


def obscured(target: Target, sight: Sight = BY_BEHAVIOUR) -> Target:
    """``target`` with no more to be seen than ``sight``, which must be part of its own."""

    def build(config: Config) -> System:
        return cast(System, Obscured(target.build(config), sight, config))

    return replace(target, build=build, sight=sight)


class Obscured:
    """A system whose methods are those of another; only what it finds and shows passes
    through the filter.
    """

    def __init__(self, system: System, sight: Sight, config: Config) -> None:
        self._system, self._sight = system, sight
        self._matches = all(component in sight.host_hits for component in config.components)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def match(self, key: Key) -> Lookup:
        found = self._system.match(key)
        return found if self._matches else found._replace(host=None)

    def observe(self, whole: bool) -> Observation:
        seen, sight = self._system.observe(whole), self._sight
        return Observation(
            nodes=tuple(self._node(view) for view in seen.nodes),
            removed=seen.removed,
            free=_only(seen.free, sight.free_counts, 0),
            evictable=seen.evictable if sight.sizes else None,
            protected=seen.protected if sight.sizes else None,
            whole=None if seen.whole is None else self._whole(seen.whole),
            events=seen.events if sight.events else None,
        )

    def _node(self, view: NodeView) -> NodeView:
        sight = self._sight
        return view._replace(
            slots=_nameless(view.slots, sight.slots),
            locks=_counts(view.locks, sight.locks),
            host_locks=_counts(view.host_locks, sight.host_locks),
            pending=view.pending and sight.backup_marks,
            loading=view.loading and sight.load_marks,
        )

    def _whole(self, whole: Whole) -> Whole:
        sight = self._sight
        return Whole(
            free=_only(whole.free, sight.free_lists, None),
            swa_of=whole.swa_of if sight.swa_map else None,
            device_leaves=whole.device_leaves if sight.leaf_sets else None,
            host_leaves=whole.host_leaves if sight.leaf_sets else None,
            lru_lists=whole.lru_lists if sight.lru_lists else None,
            ages=whole.ages if sight.recency else None,
        )


def _counts(counts: PerComponent | None, seen: Sequence[Component]) -> PerComponent | None:
    if counts is None or not seen:
        return None
    full, swa, mamba = (counts[part] if part in seen else 0 for part in Component)
    return full, swa, mamba


def _nameless(slots: SlotsPerPool, seen: Sequence[Pool]) -> SlotsPerPool:
    full, swa, mamba, full_host, swa_host, mamba_host = (
        numbers if pool in seen or numbers is None else (0,) * len(numbers)
        for pool, numbers in zip((*DEVICE, *HOST), slots, strict=True)
    )
    return full, swa, mamba, full_host, swa_host, mamba_host


def _only(
    shown: tuple[T, T, T, T, T, T] | None, seen: Sequence[Pool], other: T
) -> tuple[T, T, T, T, T, T] | None:
    """What is shown of each pool, where it may be seen."""
    if shown is None or not seen:
        return None
    full, swa, mamba, full_host, swa_host, mamba_host = (
        one if pool in seen else other for pool, one in zip((*DEVICE, *HOST), shown, strict=True)
    )
    return full, swa, mamba, full_host, swa_host, mamba_host

"""The releases that the adapter drives: the rules in which each legitimately differs, and what each can be put to.

Both have to be known before anything is imported, so here, and only here, things go by the version.
"""

from __future__ import annotations

from radixproof.impl.operations import (
    OPERATIONS,
    HostInsert,
    HostLock,
    Operation,
    Refuse,
    ReleaseWindow,
)
from radixproof.impl.scope import Scope
from radixproof.impl.sglang.store import check_version, version_key
from radixproof.impl.sight import Sight
from radixproof.impl.system import Unavailable
from radixproof.model.config import Component, EvictionPolicy
from radixproof.model.dialect import Dialect

OLDEST, NEWEST = "0.5.12", "0.5.19"
"""Both included."""

_SINCE: dict[type[Operation], str] = {ReleaseWindow: "0.5.14"}
"""Operations that not every release has."""
_UNSUPPORTED: tuple[type[Operation], ...] = (HostLock, HostInsert, Refuse)
"""Operations that no release is put to: host locks of these releases leave out what has no host copy, and forget splits, and the
adapter has no way to insert on the host, or to let an allocation fail."""


def dialect_of(version: str) -> Dialect:
    """The rules of a release. Raises `Unavailable` outside OLDEST to NEWEST."""
    since_0_5_13 = _reaches(version, "0.5.13")
    return Dialect(
        segment_locks=False,
        split_keeps_hits=since_0_5_13,
        hits_on_split_leaf=False,
        room_before_backup=False,
        leaf_cut_to_window=since_0_5_13,
        swa_recency_in_window=since_0_5_13,
        mamba_recency_at_end=_reaches(version, "0.5.16"),
        supplements=False,
        release_frees_leaf=False,  # FULL stays locked, and so no node of the window is ever a leaf when its turn comes
        quota_counts_pins=False,
        host_insert_refills=False,
        room_before_load=False,
        duplicates_on_host=_reaches(version, "0.5.18"),
        duplicates_in_order=False,
        host_values_in_order=False,
        hits_under_write_back=False,
        failed_backup_deletes=_reaches(version, "0.5.17"),
    )


def scope_of(version: str) -> Scope:
    """What a release can be put to. Raises `Unavailable` outside OLDEST to NEWEST."""
    missing = {operation for operation, first in _SINCE.items() if not _reaches(version, first)}
    return Scope(
        components=(Component.FULL, Component.SWA),
        eviction_policies=tuple(EvictionPolicy)
        if _reaches(version, "0.5.13")
        else (EvictionPolicy.LRU,),
        operations=tuple(
            operation for operation in OPERATIONS if operation not in {*missing, *_UNSUPPORTED}
        ),
        failing_copies=False,
    )


def sight_of(version: str) -> Sight:
    """What a release lets be seen. Raises `Unavailable` outside OLDEST to NEWEST."""
    return Sight(
        host_locks=(),  # they count only what has a host copy, and the halves of a split unevenly
        load_marks=False,
        marks_after_split=False,
        recency=False,
        # The figure for FULL counts all host copies below the device node; where SWA ends that early, it is more.
        host_hits=(Component.FULL,) if _reaches(version, "0.5.13") else (),
        events=False,
    )


def _reaches(version: str, first: str) -> bool:
    """Whether a release is ``first`` or a later one."""
    key = version_key(check_version(version))
    if not version_key(OLDEST) <= key <= version_key(NEWEST):
        raise Unavailable(f"radixproof drives SGLang {OLDEST} to {NEWEST}, not {version}")
    return key >= version_key(first)

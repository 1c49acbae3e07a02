"""A request as SGLang's cache sees it: its record, with whatever name a release has for a field.

Until 0.5.15 all is the request's own; then, release by release, what it owns moves to its ``kv``.
Here both are the same object.
"""

from __future__ import annotations

from array import array
from types import SimpleNamespace
from typing import Any

from radixproof.impl.observation import Slots
from radixproof.impl.sglang.api import Sglang
from radixproof.model.key import Key

_ABSENT = (
    "session",
    "session_id",
    "cache_salt",
    "kv_rotation_base",
    "swa_branching_seqlen",
    "finished_len",
    "finished_reason",
    "req_pool_idx",
    "retraction_backup",
    "mamba_ping_pong_track_buffer",
    "mamba_ping_pong_empty",
    "mamba_next_track_idx",
    "mamba_last_track_idx",
    "mamba_last_track_seqlen",
    "mamba_prev_track_seqlen",
    "mamba_branching_seqlen",
    "mamba_cow_src_index",
    "last_node",
    "lock",
    "lock_receipt",
    "swa_uuid_for_lock",
)
_NONE_YET = (
    "swa_evict_floor",
    "swa_evicted_seqlen",
    "cache_inserted_len",
    "swa_host_hit_length",
    "mamba_host_hit_length",
    "priority",
    "kv_committed_len",
    "kv_allocated_len",
    "reasoning_tokens",
)
_ONE = ("is_chunked", "inflight_middle_chunks")
_NOT = ("swa_prefix_lock_released", "skip_radix_cache_insert", "mamba_needs_clear")


class Carried:
    """A live request of SGLang. Lengths are in tokens, ``cache_protected_len`` is in units."""

    req_pool_idx: int | None
    finished_reason: str | None
    finished_len: int | None
    mamba_ping_pong_track_buffer: Any
    mamba_next_track_idx: int
    mamba_branching_seqlen: int | None
    priority: int
    swa_prefix_lock_released: bool

    def __init__(self, sglang: Sglang, rid: str, key: Key, prefix: Any, state: int | None) -> None:
        for names, value in ((_ABSENT, None), (_NONE_YET, 0), (_ONE, 1), (_NOT, False)):
            for name in names:
                setattr(self, name, value)
        self._arrays = sglang.capabilities.token_arrays
        self.rid = rid
        self.extra_key = key.namespace or None
        self.prefix_indices = prefix
        self.cache_protected_len = self.prefix_len = self.begun = len(prefix)
        self.prompt = len(key.tokens)
        """Tokens of its key that it came with."""
        self.stripped = False
        """Its answer is not to be kept, as SGLang has it where there are thoughts in it."""
        self.before = 0
        """Tokens that were computed before the part that is computed now."""
        self.mapped = 0
        self.unmapped: dict[int, int] = {}
        """SWA peers of slots in its last page that it does not use yet."""
        self.skip_lock_node_ids: Any = {}
        self.component_evicted_seqlens: dict[Any, int] = {}
        self.mamba_pool_idx = None if state is None else sglang.torch.tensor(state)
        self.told(key, 0)

    def told(self, key: Key, computed: int) -> None:
        """So many tokens of its key are computed."""
        self.key = key
        tokens = key.tokens
        listed = array("q", tokens) if self._arrays else list(tokens)
        self.origin_input_ids, self.output_ids = listed[: self.prompt], listed[self.prompt :]
        self.fill_ids = listed[:computed]
        self.full_untruncated_fill_ids = listed
        self.kv_committed_len = self.kv_allocated_len = computed
        self.fill_len = self.extend_end = computed
        self.extend_range = SimpleNamespace(start=0, end=computed)

    def tracked(self) -> Slots:
        """States that SGLang keeps for it beside its own: in turn they get what that is at the end
        of a page, for the tree. None where pages are of one token.
        """
        slots = self.mamba_ping_pong_track_buffer
        return () if slots is None else tuple(slot for slot in slots.tolist() if slot >= 0)

    # -- what SGLang asks ----------------------------------------------------------------------

    @property
    def kv(self) -> Carried:
        return self

    @kv.setter
    def kv(self, _: None) -> None:
        """What it owned is given back."""

    @property
    def seqlen(self) -> int:
        return self.fill_len

    @property
    def holds_kv(self) -> bool:
        return self.req_pool_idx is not None

    @property
    def holds_mamba(self) -> bool:
        return self.mamba_pool_idx is not None

    @property
    def is_kv_released(self) -> bool:
        return self.kv_allocated_len == 0

    def mark_kv_released(self) -> None:
        self.kv_allocated_len = 0

    def get_evicted_seqlen(self, kind: Any) -> int:
        return self.component_evicted_seqlens.get(kind, 0)

    def set_evicted_seqlen(self, kind: Any, length: int) -> None:
        self.component_evicted_seqlens[kind] = length

    def swa_dead_lo(self, page_size: int) -> int:
        return self.cache_protected_len

    def finished(self) -> bool:
        return self.finished_reason is not None

    def get_fill_ids(self) -> Any:
        return self.fill_ids

    def refresh_fill_ids(self) -> None:
        """They never lag behind here."""

    def owned_kv_len(self) -> int:
        if self.stripped:
            return min(self.kv_committed_len, self.prompt)
        if self.finished_len is not None:
            return min(self.kv_committed_len, self.prompt + self.finished_len)
        return self.kv_committed_len

    effective_kv_committed_len = pop_committed_kv_cache = owned_kv_len

    def pop_overallocated_kv_cache(self) -> tuple[int, int]:
        return self.owned_kv_len(), self.kv_allocated_len

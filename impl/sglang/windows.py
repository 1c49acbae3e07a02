"""How far SGLang frees the windows of its requests, release by release."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest import mock

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.parts import Parts
from radixproof.model.config import Config

FREED_BY_INSERTS = "SGLANG_OPT_UNIFIED_CACHE_FREE_OUT_OF_WINDOW_SLOTS"
"""A flag since 0.5.14, and set by default since 0.5.18."""
_NO_MARGIN = "SGLANG_OPT_SWA_EVICT_DROP_PAGE_MARGIN"
"""A flag of 0.5.14, by which no page is kept beyond the window; ever since that is the rule."""


class Windows:
    """The windows of the requests of one cache."""

    def __init__(self, sglang: Sglang, parts: Parts, config: Config) -> None:
        self._requests, self._can = sglang.requests, sglang.capabilities
        self._kind = sglang.tree.ComponentType.SWA
        self._tree, self._window = parts.tree, config.window
        self._page_size = config.page_size
        self._flags = dict.fromkeys(_flagged(sglang, config), "true")
        tracks = config.mamba_states > 0 and config.page_size > 1
        self._before_inserts = not (self._flags or _is_default(sglang) or tracks)

    def flagged(self) -> AbstractContextManager[object]:
        """Within the block the flags of this cache are set."""
        return mock.patch.dict(os.environ, self._flags) if self._flags else nullcontext()

    def before_insert(self, request: Any) -> None:
        """Where an unfinished insert frees nothing itself, that is done before: so it is for a
        request whose window alone was fetched, or kept from an earlier turn. Not so where it
        inserts up to a tracked state only, and all that it has computed may be beyond that.
        """
        if self._before_inserts:
            self.slide(request)

    def slide(self, request: Any) -> None:
        """Free what has left the window, as before the step after the last one that is computed."""
        if self._window is None or request.req_pool_idx is None:
            return
        computed, size = request.kv_committed_len - 1, self._page_size
        if self._can.windows_freed_at_will:
            kept = (
                {"retain_floor": self._tree.swa_retain_floor(request)}
                if self._can.windows_kept_for_states
                else {}
            )
            self._requests.free_swa_out_of_window_slots(
                request,
                computed,
                sliding_window_size=self._window,
                page_size=size,
                req_to_token_pool=self._tree.req_to_token_pool,
                token_to_kv_pool_allocator=self._tree.token_to_kv_pool_allocator,
                **kept,
            )
            return
        # As ScheduleBatch._evict_swa did it, a method of a module that imports the whole server.
        begin = max(request.swa_evicted_seqlen, request.cache_protected_len)
        end = max(begin, computed - self._window - size) // size * size
        if end > begin:
            row = self._tree.req_to_token_pool.req_to_token[request.req_pool_idx, begin:end]
            self._tree.token_to_kv_pool_allocator.free_swa(row)
        request.swa_evicted_seqlen = max(begin, end)

    def evicted(self, request: Any) -> int:
        """What a request has lost of its window."""
        if self._can.evicted_lengths:
            return int(request.get_evicted_seqlen(self._kind))
        return int(request.swa_evicted_seqlen)

    def told(self, params: Any) -> int:
        """What an insert is told of that."""
        if self._can.evicted_lengths:
            return int(params.get_evicted_seqlen(self._kind))
        return int(params.swa_evicted_seqlen)


def _flagged(sglang: Sglang, config: Config) -> list[str]:
    """The flags that are set for a cache. Where the first one is an option, it is taken where keys
    are bigrams, and where a page is longer than the window.
    """
    optional = sglang.capabilities.windows_freed_at_will and not _is_default(sglang)
    if config.window is None or not optional:
        return []
    if not config.bigram and config.page_size <= config.window:
        return []
    return [name for name in (FREED_BY_INSERTS, _NO_MARGIN) if hasattr(sglang.flags, name)]


def _is_default(sglang: Sglang) -> bool:
    flag = getattr(sglang.flags, FREED_BY_INSERTS, None)
    return flag is not None and bool(flag.default)

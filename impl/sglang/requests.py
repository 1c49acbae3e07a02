"""Requests, as far as SGLang's cache looks at them, and the states that they work on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.locking import Locks
from radixproof.impl.sglang.memory.content import Content
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.sglang.transfers import Transfers

NO_STATE = "Can not alloc mamba cache"
"""What SGLang asserts where there is no room for a state."""
NO_TRACKING = "Not enough space for mamba ping pong idx"
"""What it asserts, among other words, where there is no room for the states that it tracks."""
EMPTY = 0
"""The content of a state that sums up nothing."""


def request(state: Any = None) -> SimpleNamespace:
    """A request, with the slot of its state, if it has one.

    The state is the request's own up to 0.5.18, and its kv's from 0.5.19 on.
    """
    of_state = {
        "mamba_pool_idx": state,
        "mamba_cow_src_index": None,
        "holds_mamba": state is not None,
    }
    return SimpleNamespace(
        rid="",
        session=None,
        swa_host_hit_length=0,
        mamba_host_hit_length=0,
        kv=SimpleNamespace(**of_state),
        **of_state,
    )


class RequestStates:
    """Slots of states that requests own, in a cache with MAMBA."""

    def __init__(
        self, sglang: Sglang, parts: Parts, content: Content, transfers: Transfers, locks: Locks
    ) -> None:
        assert parts.device.states is not None, "there is no MAMBA"
        self._sglang = sglang
        self._tree, self._core = parts.tree, parts.core
        self._allocator = parts.device.states.allocator
        self._content, self._transfers, self._locks = content, transfers, locks

    def allocate(self) -> int | None:
        slot = self._allocator.alloc(1)
        return None if slot is None else int(slot)

    def free(self, slot: int) -> None:
        self._allocator.free(self._sglang.torch.tensor([slot]))

    def copy(self, key: Any, anchor: Any) -> int | None:
        """A state to go on from a device node with, as the scheduler gives one to a request whose
        ``key`` ends there.

        Its match copies the state of its best node, if that is on the device; newer releases leave
        the bytes to the forward pass. Where a load-back is bringing it, the request gets a copy of
        its own from the host. Otherwise it begins with an empty state.
        """
        asking = request()
        params = self._sglang.params.MatchPrefixParams(key=key, cow_mamba=True, req=asking)
        try:
            self._tree.match_prefix(params)
        except AssertionError as error:
            if str(error) == NO_STATE:
                return None
            raise
        held = asking if asking.mamba_pool_idx is not None else asking.kv
        if held.mamba_pool_idx is None:
            return self._empty(anchor)
        slot, source = int(held.mamba_pool_idx), held.mamba_cow_src_index
        arriving = self._transfers.arriving(self._core.state(anchor))
        if arriving is not None:
            self._content.load_state(arriving, slot)
        elif source is not None:
            self._content.copy_state(int(source), slot)
        return slot

    def _empty(self, anchor: Any) -> int | None:
        """An empty state for a request that has locked its node."""
        if not self._allocator.available_size():
            lock = self._locks.lock(anchor)
            self._tree.evict(self._sglang.params.EvictParams(num_tokens=0, mamba_num=1))
            self._locks.unlock(lock)
        slot = self.allocate()
        if slot is not None:
            self._content.write_state(slot, EMPTY)
        return slot

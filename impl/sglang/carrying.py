"""Requests, carried through the functions that SGLang's scheduler calls for them.

What these do to the tree is recorded, for the harness to judge one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from radixproof.impl.carrying import Carriage, Did, Moment
from radixproof.impl.sglang import locking
from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.carried import Carried
from radixproof.impl.sglang.memory.rows import MOST
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.sglang.recording import Called, Recorder, Standing
from radixproof.impl.sglang.requests import NO_STATE, NO_TRACKING
from radixproof.impl.sglang.windows import Windows
from radixproof.impl.system import Lookup
from radixproof.model.config import DEVICE, Config
from radixproof.model.key import Key

FEWEST = 4
"""States without which no request runs whose pages are of several tokens: its own, two that are
tracked, and one for the tree.
"""
SHARE, TRACKED = 3, 2
"""States that SGLang has for each request that it runs, and beside them those that it tracks: its
pools are as large as that (``MAMBA_CACHE_SIZE_MAX_RUNNING_REQUESTS_RATIO``).
"""
_WANTED = {NO_STATE: 1, NO_TRACKING: 2}
"""By what SGLang asserts then: the states for which it found no room."""


class Carrier:
    """The requests of one cache."""

    def __init__(
        self,
        sglang: Sglang,
        parts: Parts,
        config: Config,
        recorder: Recorder,
        locks: locking.Locks,
        found: Callable[[Any], Lookup],
    ) -> None:
        self._sglang, self._tree, self._config = sglang, parts.tree, config
        self._parts = parts
        self._rows = parts.tree.req_to_token_pool
        self._core = parts.core
        self._recorder, self._locks, self._found = recorder, locks, found
        self._tracks = config.mamba_states > 0 and config.page_size > 1
        self._alive = 0
        self._windows = Windows(sglang, parts, config)

    # -- the life of a request -----------------------------------------------------------------

    def begin(self, key: Key, slots: Sequence[int], receipt: Any, state: int | None) -> Any:
        """SGLang runs no request where there is no room for the states of a single one."""
        if self._alive == MOST or (self._tracks and self._config.mamba_states < FEWEST):
            return None
        self._alive += 1
        request = Carried(self._sglang, key, self._tensor(slots), state)
        locking.take(self._sglang, request, receipt)
        return request

    def admit(self, request: Any) -> Carriage:
        """A row, and the states that are tracked."""
        if request.req_pool_idx is not None:
            return Carriage((), states=request.tracked())
        call = (
            partial(self._sglang.allocation.alloc_req_slots, self._rows, [request], self._tree)
            if self._tracks
            else partial(self._rows.alloc, [request])
        )
        carriage = self._carried(request, call)
        if carriage.refused:
            self._rows.free(request)
        elif carriage.error is None:
            self._write(request, 0, request.prefix_indices)
        return carriage

    def make_room(self, request: Any, tokens: int) -> Carriage:
        """What SGLang's scheduler calls before it allocates."""
        evict = self._sglang.requests.evict_from_tree_cache
        return self._carried(request, partial(evict, self._tree, tokens))

    def compute(self, request: Any, key: Key, row: Sequence[int], units: int) -> None:
        tokens = units + self._config.bigram
        begin = max(request.begun, request.kv_committed_len)
        self._write(request, begin, self._tensor(row[begin:tokens]))
        request.told(key, tokens)
        self._map(request, row, tokens)

    def _map(self, request: Any, row: Sequence[int], tokens: int) -> None:
        """SGLang allocates tokens: the rest of their last page is not in the full→SWA map."""
        peers = self._parts.device.peers()
        if peers is None:
            return
        for slot in row[request.mapped : tokens]:
            if slot in request.unmapped:
                peers[slot] = request.unmapped.pop(slot)
        for slot in row[tokens:]:
            if peers[slot]:
                request.unmapped[slot] = int(peers[slot])
                peers[slot] = 0
        request.mapped = tokens

    def _write(self, request: Any, begin: int, slots: Any) -> None:
        self._rows.write((request.req_pool_idx, slice(begin, begin + len(slots))), slots)

    def track(self, request: Any, units: int) -> int:
        """SGLang does so at every so many tokens, which are whole pages: here at each page. What
        it hands over later is what was tracked last.
        """
        place = request.mamba_next_track_idx
        request.mamba_last_track_idx = place
        request.mamba_next_track_idx = self._rows.get_mamba_ping_pong_other_idx(place)
        request.mamba_last_track_seqlen = units
        return int(request.mamba_ping_pong_track_buffer[place])

    def slide(self, request: Any) -> int:
        with self._windows.flagged():
            self._windows.slide(request)
        return self._windows.evicted(request)

    def carry_on(self, request: Any, last: bool) -> Carriage:
        call = (
            partial(self._sglang.requests.checkpoint_kv_cache, request, self._tree)
            if self._sglang.capabilities.checkpoints
            else partial(self._tree.cache_unfinished_req, request, chunked=not last)
        )
        with self._windows.flagged():
            self._windows.before_insert(request)
            return self._carried(request, call)

    def end(self, request: Any, insert: bool) -> Carriage:
        self._alive -= 1
        if request.req_pool_idx is None:
            return self._carried(request, lambda: self._drop(request))
        request.finished_reason = "stop" if insert else None
        name = "checkpoint" if self._sglang.capabilities.checkpoints else "is_insert"
        release = self._sglang.requests.release_kv_cache
        return self._carried(request, lambda: release(request, self._tree, **{name: insert}))

    def _drop(self, request: Any) -> None:
        """As the scheduler does with a request that it has admitted and then cannot run."""
        if request.mamba_pool_idx is not None:
            assert self._parts.device.states is not None
            self._parts.device.states.allocator.free(request.mamba_pool_idx.view(1))
        self._locks.unlock(locking.held_by(self._sglang, request))

    # -- what its calls did --------------------------------------------------------------------

    def _carried(self, request: Any, call: Callable[[], object]) -> Carriage:
        self._core.about(request.key.namespace, request.key.units(self._config.bigram))
        raised: BaseException | None = None
        with self._recorder.listening(lambda: self._standing(request)):
            try:
                call()
            except BaseException as error:
                raised = error
        moments = [self._moment(request, one) for one in self._recorder.calls]
        refused = _refused(raised)
        return Carriage(moments, raised, refused, self._runs(), request.tracked())

    def _runs(self) -> int:
        """So many requests at once, with these states."""
        return self._config.mamba_states // (SHARE + TRACKED * self._tracks)

    def _standing(self, request: Any) -> Standing:
        row = request.req_pool_idx
        slots = (
            [] if row is None else self._rows.req_to_token[row, : request.kv_committed_len].tolist()
        )
        return Standing(self._windows.evicted(request), slots, request.tracked())

    def _moment(self, request: Any, call: Called) -> Moment:
        whole = call.seen.whole
        assert whole is not None
        assert whole.free is not None
        free = [slots or () for slots in whole.free[: len(DEVICE)]]
        moment = Moment(call.did, tuple(free), **call.standing._asdict())
        argument, result = call.argument, call.result
        if call.did is Did.INSERT:
            state = argument.mamba_value
            return moment._replace(
                length=len(argument.key),
                reused=result.prefix_len,
                state=None if state is None else int(state[0]),
                taken=state is not None and not result.mamba_exist,
                priority=getattr(argument, "priority", 0),
                counted=not getattr(argument, "chunked", False),
                told=self._windows.told(argument),
            )
        if call.did is Did.MATCH:
            found = self._found(result)
            return moment._replace(
                length=len(argument.key),
                device=found.device,
                best=found.best,
                slots=tuple(found.slots),
                host=found.host,
            )
        if call.did is Did.EVICT:
            asked = (argument.num_tokens, argument.swa_num_tokens, argument.mamba_num)
            freed = (
                result.num_tokens_evicted,
                result.swa_num_tokens_evicted,
                result.mamba_num_evicted,
            )
            return moment._replace(asked=asked, freed=freed)
        return moment

    def _tensor(self, slots: Sequence[int]) -> Any:
        return self._sglang.torch.tensor(slots, dtype=self._sglang.torch.int64)


def _refused(raised: BaseException | None) -> int:
    """States for which there was no room, if that is what was raised."""
    if not isinstance(raised, AssertionError):
        return 0
    return next((count for text, count in _WANTED.items() if str(raised).startswith(text)), 0)

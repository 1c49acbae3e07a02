"""Requests, carried through the functions that SGLang's scheduler calls for them.

What these do to the tree is recorded, for the harness to judge one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from radixproof.impl.carrying import Carriage, Did, Moment, Tracked
from radixproof.impl.sglang import locking
from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.carried import Carried
from radixproof.impl.sglang.memory.rows import MOST
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.sglang.recording import Called, Recorder, Standing
from radixproof.impl.sglang.requests import NO_STATE, NO_TRACKING
from radixproof.impl.sglang.tracking import Part
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
        self._fewest = FEWEST - config.track_lazily
        self._wanted = {NO_STATE: 1, NO_TRACKING: 2 - config.track_lazily}
        """By what SGLang asserts then: the states for which it found no room."""
        self._drafts = config.bigram
        """Speculative decoding, for which keys are bigrams, drafts tokens ahead: so many that they
        fill the last page.
        """
        self._alive = self._begun = 0
        self._windows = Windows(sglang, parts, config)

    # -- the life of a request -----------------------------------------------------------------

    def begin(
        self,
        key: Key,
        slots: Sequence[int],
        receipt: Any,
        state: int | None,
        priority: int = 0,
        branch: int | None = None,
    ) -> Any:
        """SGLang runs no request where there is no room for the states of a single one. ``branch``
        is where its match found that the prompt branches off.
        """
        if self._alive == MOST or (self._tracks and self._config.mamba_states < self._fewest):
            return None
        self._alive += 1
        self._begun += 1
        request = Carried(self._sglang, str(self._begun), key, self._tensor(slots), state)
        request.priority, request.mamba_branching_seqlen = priority, branch
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
        request.before = begin
        request.told(key, tokens)
        self._map(request, row, len(row) if self._drafts else tokens)

    def _map(self, request: Any, row: Sequence[int], tokens: int) -> None:
        """SGLang allocates tokens, those that are drafted as well: the rest of their last page is
        not in the full→SWA map.
        """
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

    def due(self, request: Any, units: int) -> list[int]:
        size, prompt = self._config.page_size, request.prompt
        every, branch = size * self._config.track_every, request.mamba_branching_seqlen
        part = Part(request.before, units, prompt, size, every, branch)
        reached = part.in_prompt()
        return [*([] if reached is None else [reached]), *part.generated()]

    def track(self, request: Any, units: int) -> Tracked:
        """What SGLang hands over later is what was tracked last; what was tracked before that only
        where the request turns out to be shorter.
        """
        generated = units > request.prompt
        if self._config.track_lazily:
            return self._track_lazily(request, units, generated)
        place = request.mamba_next_track_idx
        if generated:
            request.mamba_prev_track_seqlen = request.mamba_last_track_seqlen
        request.mamba_last_track_idx = place
        request.mamba_next_track_idx = self._rows.get_mamba_ping_pong_other_idx(place)
        request.mamba_last_track_seqlen = units
        return Tracked(int(request.mamba_ping_pong_track_buffer[place]))

    def _track_lazily(self, request: Any, units: int, generated: bool) -> Tracked:
        """While a request decodes SGLang takes the second state for one step, if one is free, and
        then frees the first.
        """
        buffer, place = request.mamba_ping_pong_track_buffer, request.mamba_next_track_idx
        request.mamba_last_track_seqlen = units
        request.mamba_last_track_idx = place
        if not generated:
            return Tracked(int(buffer[place]))
        assert self._parts.device.states is not None
        allocator = self._parts.device.states.allocator
        first, new = int(buffer[place]), allocator.alloc(1)
        if new is None:
            return Tracked(first, refused=True)
        self._rows.set_mamba_ping_pong_slot(request, 1 - place, new[0])
        request.mamba_last_track_idx = request.mamba_next_track_idx = 1 - place
        allocator.free(buffer[place].unsqueeze(0))
        self._rows.set_mamba_ping_pong_slot(request, place, -1)
        return Tracked(int(new[0]), freed=first)

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

    def end(self, request: Any, insert: bool, prompt_only: bool, past_stop: int) -> Carriage:
        """For ``prompt_only`` the server is one that strips answers with thoughts in them."""
        self._alive -= 1
        if request.req_pool_idx is None:
            return self._carried(request, lambda: self._drop(request))
        request.finished_reason = "stop" if insert else None
        request.stripped = prompt_only
        if past_stop:
            request.finished_len = max(0, len(request.output_ids) - past_stop)
        name = "checkpoint" if self._sglang.capabilities.checkpoints else "is_insert"
        release = self._sglang.requests.release_kv_cache
        with self._sglang.stripping(prompt_only, self._config.page_size):
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
        with (
            self._sglang.tracking(self._config.track_lazily),
            self._recorder.listening(lambda: self._standing(request)),
        ):
            try:
                call()
            except BaseException as error:
                raised = error
        moments = [self._moment(request, one) for one in self._recorder.calls]
        refused = self._refused(raised)
        return Carriage(moments, raised, refused, self._runs(), request.tracked())

    def _runs(self) -> int:
        """So many requests at once, with these states."""
        tracked = (TRACKED - self._config.track_lazily) * self._tracks
        return self._config.mamba_states // (SHARE + tracked)

    def _refused(self, raised: BaseException | None) -> int:
        """States for which there was no room, if that is what was raised."""
        if not isinstance(raised, AssertionError):
            return 0
        wanted = self._wanted.items()
        return next((count for text, count in wanted if str(raised).startswith(text)), 0)

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

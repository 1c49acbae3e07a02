"""Prefetches through the functions that SGLang's scheduler calls for them.

The storage is attached as SGLang does it. Queues are SGLang's, and so are the bodies of threads,
but no thread ever runs (`threads`); the storage hands over as much as has come (`stored.Backend`).
"""

from __future__ import annotations

import sys
import types
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from radixproof.impl.fetching import Doing, Fetch, Part
from radixproof.impl.observation import Slots
from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.memory.host import NAMES
from radixproof.impl.sglang.parts import Parts
from radixproof.impl.sglang.recording import FETCHES, Called, Recorder, Standing
from radixproof.impl.sglang.stored import Backend, Stored
from radixproof.impl.sglang.threads import Turns
from radixproof.impl.system import Complaint
from radixproof.model.config import HOST, Component, Config, Pool
from radixproof.model.key import Key

_BEST_EFFORT = {"hicache_storage_prefetch_policy": "best_effort"}
"""A prefetch is stopped as soon as its request could run."""
_OPTIONS = '{"prefetch_threshold": 1, "interface_v1": 1}'
_PLACE = types.SimpleNamespace(
    extra_config={"interface_v1": 1},
    pp_rank=0,
    is_mla_model=False,
    should_split_heads=False,
)
"""What SGLang tells a storage of the server's place among others: there are none."""
_NOBODY = Standing(0, [], ())
_ABOUT_REQUESTS = (
    "prefetch_loaded_tokens_by_reqid",
    "prefetch_loaded_storage_start_by_reqid",
    "_storage_prefetch_hit_remaining_by_reqid",
    "_storage_prefetch_wait",
)
"""What SGLang remembers of each request; not every release has all of these."""
_QUEUES = (
    "prefetch_queue",
    "prefetch_hit_queue",
    "prefetch_buffer",
    "prefetch_sync_queue",
    "ack_prefetch_queue",
    "host_mem_release_queue",
)


@dataclass(slots=True)
class Ongoing:
    """A prefetch that has begun."""

    key: Key
    handle: Any
    """What SGLang calls the request."""
    number: int
    operation: Any
    tags: Sequence[Sequence[int]]
    """Page by page, of all that was asked for."""
    slots: tuple[Slots, ...]
    """What it holds on the host, by component."""
    handed: list[tuple[int, ...]] = field(default_factory=lambda: [()] * len(HOST))
    """What of it was handed over to the tree."""


class Prefetcher:
    """The prefetches of one cache."""

    def __init__(
        self, sglang: Sglang, parts: Parts, stored: Stored, config: Config, recorder: Recorder
    ) -> None:
        self._sglang, self._parts, self._config = sglang, parts, config
        self._tree, self._recorder = parts.tree, recorder
        self._controller = parts.tree.cache_controller
        self._backend = Backend(sglang, stored, config)
        self._turns = Turns(self._controller)
        self._alive: list[Ongoing] = []
        self._number = 0
        self._allocations: list[tuple[Pool, int, Any]] | None = None
        self._attach()
        for component, pool in parts.host.pools.items():
            pool.alloc = self._noted(HOST[component], pool.alloc)

    def _attach(self) -> None:
        """What is backed up to the host is not written to storage: it has everything anyway."""
        made = self._sglang.storages.StorageBackendFactory, "create_backend"
        placed = type(self._controller), "_generate_storage_config"
        with (
            mock.patch.object(*made, return_value=self._backend),
            mock.patch.object(*placed, return_value=_PLACE),
        ):
            done, text = self._tree.attach_storage_backend("dynamic", _OPTIONS, **_BEST_EFFORT)
        if not done:
            raise RuntimeError(text)
        self._tree.write_backup_storage = lambda _: None
        self._controller.storage_stop_event = self._turns
        self._controller.prefetch_capacity_limit = sys.maxsize

    # -- begin and end -------------------------------------------------------------------------

    def begin(self, key: Key, node: Any, start: int, tags: Sequence[int], stored: int) -> Fetch:
        """The request comes, the storage is asked, and what it has gets slots on the host."""
        size, asked = self._config.page_size, key.tokens
        self._number += 1
        handle = self._called(f"request {self._number}")
        self._allocations = []
        self._backend.has = stored // size
        self._core_about(key)

        def call() -> None:
            self._tree.prefetch_from_storage(
                handle,
                node,
                array("q", asked[start:]),
                self._tree.get_last_hash_value(node),
                matched_prefix_tokens=list(asked[:start]),
                extra_key=key.namespace or None,
            )
            self._turns.let("prefetch_thread_func", "prefetch_queue")
            self._drain()

        parts, error = self._recorded(call, self._taken)
        notes, self._allocations = self._allocations, None
        allocated = [pool for pool, _, some in notes if some is not None]
        entry = self._tree.ongoing_prefetch.get(handle)
        if entry is None or error is not None:
            self._tree.release_aborted_request(handle)
            in_the_end = {pool: some for pool, _, some in notes}
            refused = [(pool, count) for pool, count, some in notes if in_the_end[pool] is None]
            return Fetch(parts, None, (), _largest(refused), allocated, error)
        pages = [tags[at : at + size] for at in range(start, len(tags), size)]
        slots = _slots_of(entry.operation)
        one = Ongoing(key, handle, self._number, entry.operation, pages, slots)
        self._alive.append(one)
        return Fetch(parts, one, one.slots, (), allocated)

    def end(self, one: Ongoing, tokens: int) -> Fetch:
        """So many tokens have come; the rest does not. Without any the request is aborted."""
        self._alive.remove(one)
        self._core_about(one.key)  # which no match has told the core of
        pages, names = tokens // self._config.page_size, one.operation.hash_value
        heard = _heard(one, pages)
        self._backend.coming = len(names) if heard and not pages else pages
        self._backend.content = dict(zip(names, one.tags[: len(names)], strict=True))
        stop = self._tree.check_prefetch_progress if pages else self._tree.release_aborted_request

        def call() -> None:
            self._bring_forward(one.operation)
            if heard == 0:
                stop(one.handle)
            self._turns.let("prefetch_io_aux_func", "prefetch_buffer", 1)
            if heard:
                self._hear(heard)
                stop(one.handle)
            self._hear(sys.maxsize)

        parts, error = self._recorded(call, lambda: self._held(one), one)
        if error is None:
            self._leave(one)
        return Fetch(parts, error=error)

    def _leave(self, one: Ongoing) -> None:
        """The request is aborted in the queue, or, as every other one, admitted."""
        if not one.number % 2 and self._tree.check_prefetch_progress(one.handle):
            self._tree.pop_prefetch_loaded_tokens(one.handle)
        else:
            self._tree.release_aborted_request(one.handle)

    def _called(self, request: str) -> Any:
        """What SGLang knows a request by."""
        if not self._sglang.capabilities.request_handles:
            return request
        return self._sglang.params.CacheRequestHandle(request, 0)

    def forget(self) -> None:
        """Everything is new."""
        self._alive.clear()

    # -- the turns of threads and scheduler ----------------------------------------------------

    def _bring_forward(self, operation: Any) -> None:
        """It is what the thread that fetches takes next: others may last longer."""
        waiting = self._controller.prefetch_buffer.queue
        waiting.remove(operation)
        waiting.appendleft(operation)

    def _hear(self, most: int) -> None:
        """The scheduler hears what the threads have done, or so much of it."""
        self._turns.let("prefetch_sync_thread_func", "prefetch_sync_queue", most)
        self._drain()

    def _drain(self) -> None:
        """As the scheduler does in every round: what one queues for release, the next frees."""
        for _ in range(2):
            self._tree.drain_storage_control_queues()

    # -- what they did -------------------------------------------------------------------------

    def _recorded(
        self, call: Callable[[], None], held: Callable[[], tuple[Slots, ...]], one: Any = None
    ) -> tuple[list[Part], BaseException | None]:
        raised: BaseException | None = None
        with self._recorder.listening(lambda: _NOBODY, FETCHES, held), self._handing_over(one):
            try:
                call()
            except BaseException as error:
                raised = error
        return [_part(called) for called in self._recorder.calls], raised

    @contextmanager
    def _handing_over(self, one: Ongoing | None) -> Iterator[None]:
        """Within the block what an insert takes is not the prefetch's any more."""
        core = self._tree.tree_core
        insert = core.insert_host

        def noted(node: Any, key: Any, slots: Any, *rest: Any, **named: Any) -> Any:
            result = insert(node, key, slots, *rest, **named)
            assert one is not None
            one.handed[0] = tuple(slots.tolist())
            one.handed[1:] = one.slots[1:]
            return result

        core.insert_host = noted
        try:
            yield
        finally:
            core.insert_host = insert

    def _noted(self, pool: Pool, alloc: Callable[..., Any]) -> Callable[..., Any]:
        def noted(count: int, *rest: Any, **named: Any) -> Any:
            some = alloc(count, *rest, **named)
            if self._allocations is not None:
                self._allocations.append((pool, count, some))
            return some

        return noted

    def _taken(self) -> tuple[Slots, ...]:
        """What was allocated since a prefetch began, and is not free again."""
        slots: dict[Pool, list[int]] = {pool: [] for pool in HOST}
        for pool, _, some in self._allocations or ():
            slots[pool] += () if some is None else some.tolist()
        return tuple(self._not_free(pool, some) for pool, some in slots.items())

    def _held(self, one: Ongoing) -> tuple[Slots, ...]:
        """What was not handed over, or came back to be freed, and is not free yet."""
        waiting = self._waiting()
        held = []
        for pool, slots, handed in zip(HOST, one.slots, one.handed, strict=True):
            kept = [slot for slot in slots if slot not in handed or slot in waiting[pool]]
            held.append(self._not_free(pool, kept))
        return tuple(held)

    def _waiting(self) -> dict[Pool, set[int]]:
        """What is queued to be freed."""
        controller = self._controller
        queues = {NAMES[Component.FULL]: controller.host_mem_release_queue}
        queues |= {
            name.value: one for name, one in controller.extra_host_mem_release_queues.items()
        }
        return {
            pool: {
                slot
                for page in (queues[NAMES[pool.component]].queue if _has(queues, pool) else ())
                for slot in page.tolist()
            }
            for pool in HOST
        }

    def _not_free(self, pool: Pool, slots: Sequence[int]) -> Slots:
        free = set(self._parts.host.free_slots(pool.component))
        return tuple(sorted(slot for slot in slots if slot not in free))

    def _core_about(self, key: Key) -> None:
        self._parts.core.about(key.namespace, key.units(self._config.bigram))

    # -- accounts ------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises for what is left over of prefetches that have ended."""
        tree, controller = self._tree, self._controller
        handles = {one.handle for one in self._alive}
        left = [handle for handle in tree.ongoing_prefetch if handle not in handles]
        if left:
            raise Complaint("prefetch-ongoing", f"still under way though they have ended: {left}")
        due = sum(len(entry.prefetch_key) for entry in tree.ongoing_prefetch.values())
        if due != controller.prefetch_tokens_occupied:
            text = (
                f"{controller.prefetch_tokens_occupied} tokens counted as being fetched, not {due}"
            )
            raise Complaint("prefetch-occupied", text)
        for name in _ABOUT_REQUESTS:
            left = [handle for handle in getattr(tree, name, ()) if handle not in handles]
            if left:
                raise Complaint("prefetch-remembered", f"{name} still has {left}")
        sizes = Counter({name: getattr(controller, name).qsize() for name in _QUEUES})
        sizes["prefetch_buffer"] -= len(self._alive)
        if any(sizes.values()):
            raise Complaint("prefetch-queued", f"queues that are not empty: {dict(+sizes)}")


def _heard(one: Ongoing, pages: int) -> int | None:
    """How much the scheduler has heard of a prefetch when it stops it, None if it does not: that
    FULL has come, and then that windows and states have.

    Where a part has come, the storage has lost the rest, or, at every other length, the prefetch is
    stopped there. An abort is heard of at one of these moments, or before.
    """
    if not pages:
        return min(one.number % 3, 1 + bool(one.operation.pool_transfers))
    return 1 if pages < len(one.operation.hash_value) and pages % 2 == 0 else None


def _has(queues: dict[str, Any], pool: Pool) -> bool:
    return NAMES[pool.component] in queues


def _slots_of(operation: Any) -> tuple[Slots, ...]:
    found = {NAMES[Component.FULL]: operation.host_indices}
    found |= {one.name.value: one.host_indices for one in operation.pool_transfers or ()}
    every = (found.get(NAMES[pool.component]) for pool in HOST)
    return tuple(() if some is None else tuple(some.tolist()) for some in every)


def _largest(refused: list[tuple[Pool, int]]) -> list[tuple[Pool, int]]:
    """Of the pool that was refused last: what was wanted, and not what would have done."""
    last = refused[-1:]
    return [max(one for one in refused if one[0] is last[0][0])] if last else []


def _part(call: Called) -> Part:
    part = Part(call.did, call.held)
    if call.did is Doing.EVICT:
        tokens, *kind = call.argument
        component = Component(int(kind[0])) if kind else Component.FULL
        return part._replace(tokens=tokens, component=component, done=call.result)
    if call.did is Doing.INSERT:
        tokens, result = len(call.argument[1]), call.result
        kept = 0 if result.host_insert_dropped else tokens - result.prefix_len
        return part._replace(tokens=tokens, done=kept)
    return part

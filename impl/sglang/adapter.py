"""A release of SGLang as a `System`: each method is one call of SGLang's own, on its own objects.

The caller plays the requests, so `allocate`, `free` and `free_swa` are what SGLang's scheduler does
for them, and `reset` is its flush of the whole cache.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from radixproof.impl.carrying import Carriage, Tracked
from radixproof.impl.fetching import Fetch
from radixproof.impl.observation import Observation, PerComponent
from radixproof.impl.sglang import locking, parts, releases, shim, store
from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.carried import Carried
from radixproof.impl.sglang.carrying import Carrier
from radixproof.impl.sglang.lockstep import Lockstep
from radixproof.impl.sglang.memory.content import Content
from radixproof.impl.sglang.names import BOTH, PYTHON, RUST, named, named_tree
from radixproof.impl.sglang.ordering import Order
from radixproof.impl.sglang.prefetching import Ongoing, Prefetcher
from radixproof.impl.sglang.recording import Recorder
from radixproof.impl.sglang.requests import RequestStates, request
from radixproof.impl.sglang.self_check import complaint, unheard
from radixproof.impl.sglang.storage import Storage
from radixproof.impl.sglang.stored import Stored
from radixproof.impl.sglang.transfers import Transfers
from radixproof.impl.sglang.victims import Victims
from radixproof.impl.sglang.view import View
from radixproof.impl.streams import Entry
from radixproof.impl.system import Fetched, Insertion, Lookup, System, Target
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key


def target(version: str, core: str = PYTHON) -> Target:
    """A release as a target, with one of its cores. It is looked for and imported when it is first
    built, not here.

    Raises `Unavailable` if the version is malformed or not one that this adapter drives; building
    raises it if the release is not prepared.
    """
    summary = f"SGLang {version}: its radix cache, controller and pools, on a CPU"
    return _target(named(version, core), summary, version, core, lambda: store.locate(version))


def tree_target(folder: Path, core: str = PYTHON) -> Target:
    """A source tree as a target, judged by the rules of its release, or the newest that there are.

    Raises `Unavailable` if it is no source tree, or of a release that is too old.
    """
    tree = store.source_tree(folder)
    rules = releases.nearest(tree.version)
    summary = f"SGLang {tree.version} in {tree.folder}, by the rules of {rules}, on a CPU"
    return _target(named_tree(folder, core), summary, rules, core, lambda: tree)


def _target(
    name: str, summary: str, rules: str, core: str, find: Callable[[], store.Release]
) -> Target:
    dialect = releases.dialect_of(rules)

    @cache
    def sglang() -> Sglang:
        return shim.load(find())

    def build(config: Config) -> System:
        if core == BOTH:
            cores = (SglangSystem(sglang(), config, one) for one in (PYTHON, RUST))
            return Lockstep(*cores)
        return SglangSystem(sglang(), config, core)

    scope, sight = releases.scope_of(rules, core), releases.sight_of(rules, core)
    return Target(name, summary, dialect, build, scope, sight, vetted=True)


class SglangSystem:
    """One live cache of SGLang.

    The device anchor of a match is a node, by object or by number; its best anchor is the whole
    result, of which a load-back needs more.
    """

    def __init__(self, sglang: Sglang, config: Config, core: str = PYTHON) -> None:
        self._sglang = sglang
        self._parts = parts.build(sglang, config, core)
        self._bigram = config.bigram
        self._interval = config.track_every * config.page_size
        self._tree = self._parts.tree
        self._core, self._device = self._parts.core, self._parts.device
        self._content = Content(self._device, self._parts.host.pools)
        self._transfers = Transfers(sglang, self._parts)
        self._order = Order(self._parts, config.window)
        self._transfers.fence(self._order.forward)
        self._victims = Victims(self._tree, config.device_pages)
        self._recorder = Recorder(self._parts, View(self._parts).observe)
        self._locks = locking.of(sglang, self._tree)
        self._carrier = Carrier(
            sglang, self._parts, config, self._recorder, self._locks, self._lookup
        )
        if config.mamba_states:
            self._states = RequestStates(
                sglang, self._parts, self._content, self._transfers, self._locks
            )
        self._can = sglang.capabilities
        self._key_matched = Key(())
        self._branch: int | None = None
        self._best_matched: Any = None
        stored = Stored(self._content, config)
        self._storage = Storage(sglang, self._parts, stored, config)
        self._prefetcher = (
            Prefetcher(sglang, self._parts, stored, config, self._recorder)
            if self._can.acknowledged_fetches and config.hosted
            else None
        )
        # A match counts all host copies of FULL below its device node, which SWA can end early:
        # then its figure is more than what is on the host only.
        self._tells_host_hits = self._can.host_hits and config.window is None

    def match(self, key: Key) -> Lookup:
        self._key_matched = key
        self._core.about(key.namespace, key.units(self._bigram))
        self._sglang.track_every(self._interval)  # read here up to 0.5.16, for branch points
        found = self._tree.match_prefix(self._sglang.params.MatchPrefixParams(key=self._key(key)))
        self._best_matched = found.best_match_node
        self._branch = found.mamba_branching_seqlen
        return self._lookup(found)

    def _lookup(self, found: Any) -> Lookup:
        slots = self._found(found).tolist()
        best = self._core.depth(found.best_match_node)
        host = (
            (found.host_hit_length, found.swa_host_hit_length, found.mamba_host_hit_length)
            if self._tells_host_hits
            else None
        )
        return Lookup(len(slots), best, slots, found.last_device_node, found, host)

    def allocate(self, tokens: int) -> list[int] | None:
        slots = self._device.allocate(tokens)
        return None if slots is None else list(slots.tolist())

    def available(self, pool: Pool) -> int:
        return self._parts.available(pool)

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self.launch(slots, tags)
        self.run_forward()

    def launch(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._order.computes(slots)
        for write in self._content.writes(slots, tags):
            self._order.forward.submit(write)

    def run_forward(self) -> None:
        self._order.forward.synchronize()

    def attend(self, slots: Sequence[int]) -> None:
        self._order.attends(slots, self._transfers.loads)

    def ordering(self) -> list[Entry]:
        return self._order.drain()

    def free(self, slots: Sequence[int]) -> None:
        self._device.free(self._tensor(slots))

    def free_swa(self, slots: Sequence[int]) -> None:
        self._device.free_swa(self._tensor(slots))

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
        inserted: int = 0,
    ) -> Insertion:
        self._core.about(key.namespace, key.units(self._bigram))
        told = {} if self._can.evicted_lengths else {"swa_evicted_seqlen": evicted}
        if self._can.inserted_length:
            told["inserted_len"] = inserted
        params = self._sglang.params.InsertParams(
            key=self._key(key),
            value=self._tensor(slots),
            prev_prefix_len=protected,
            priority=priority,
            mamba_value=None if state is None else self._tensor([state]),
            **told,
        )
        if self._can.evicted_lengths:
            params.set_evicted_seqlen(self._sglang.tree.ComponentType.SWA, evicted)
        result = self._tree.insert(params)
        return Insertion(result.prefix_len, state is not None and not result.mamba_exist)

    def allocate_state(self) -> int | None:
        return self._states.allocate()

    def write_state(self, slot: int, tag: int) -> None:
        self._order.computes_state(slot)
        self._order.forward.submit(partial(self._content.write_state, slot, tag))
        self.run_forward()

    def free_state(self, slot: int) -> None:
        self._states.free(slot)

    def copy_state(self, anchor: Any) -> int | None:
        self._victims.restart()
        return self._states.copy(self._key(self._key_matched), anchor)

    def lock(self, anchor: Any) -> Any:
        return self._locks.lock(anchor)

    def unlock(self, receipt: Any) -> None:
        self._locks.unlock(receipt)

    def release_window(self, receipt: Any) -> None:
        """Of a request it is its own to remember."""
        if not isinstance(receipt, Carried):
            self._locks.release_window(receipt)
            return
        self._locks.release_window(locking.held_by(self._sglang, receipt))
        receipt.swa_prefix_lock_released = True

    def begin_request(
        self, key: Key, slots: Sequence[int], receipt: Any, state: int | None, priority: int
    ) -> Any:
        return self._carrier.begin(key, slots, receipt, state, priority, self._branch)

    def admit(self, request: Carried) -> Carriage:
        self._victims.restart()
        return self._carrier.admit(request)

    def make_room(self, request: Carried, tokens: int) -> Carriage:
        self._victims.restart()
        return self._carrier.make_room(request, tokens)

    def compute(self, request: Carried, key: Key, row: Sequence[int], units: int) -> None:
        self._carrier.compute(request, key, row, units)

    def due(self, request: Carried, units: int) -> Sequence[int]:
        return self._carrier.due(request, units)

    def track(self, request: Carried, units: int) -> Tracked:
        return self._carrier.track(request, units)

    def slide(self, request: Carried) -> int:
        return self._carrier.slide(request)

    def carry_on(self, request: Carried, last: bool) -> Carriage:
        self._victims.restart()
        return self._carrier.carry_on(request, last)

    def end_request(
        self, request: Carried, insert: bool, prompt_only: bool = False, past_stop: int = 0
    ) -> Carriage:
        self._victims.restart()
        return self._carrier.end(request, insert, prompt_only, past_stop)

    def show(self, moment: int | None) -> None:
        self._recorder.show(moment)

    def lock_host(self, anchor: Any) -> Any:
        """Prefetches do so, where the prefix has a host copy."""
        node = anchor.best_match_node
        if not self._is_root_or_backed(node):
            return None
        return node, self._tree.inc_host_lock_ref(node).to_dec_params()

    def unlock_host(self, receipt: Any) -> None:
        self._tree.dec_host_lock_ref(*receipt)

    def allocate_host(self, pool: Pool, count: int) -> list[int] | None:
        return self._storage.allocate(pool, count)

    def free_host(self, pool: Pool, slots: Sequence[int]) -> None:
        self._storage.free(pool, slots)

    def write_host(self, pool: Pool, slots: Sequence[int], tags: Sequence[int]) -> None:
        self._order.fetched(pool, slots)
        self._storage.fill(pool, slots, tags)

    def insert_host(self, key: Key, fetched: Fetched, start: int) -> int:
        """Below the node where the match before ended on either tier."""
        return self._storage.hand_over(self._best_matched, key, fetched, start)

    def insert_fetched(self, receipt: Any, key: Key, fetched: Fetched, start: int) -> int:
        """Below a node that has been locked since; no match has told the core of the key."""
        self._core.about(key.namespace, key.units(self._bigram))
        return self._storage.hand_over(receipt[0], key, fetched, start)

    def begin_prefetch(
        self, key: Key, anchor: Any, start: int, tags: Sequence[int], stored: int
    ) -> Fetch:
        """As the scheduler does, where the prefix has a host copy."""
        node = anchor.best_match_node
        if self._prefetcher is None or not self._is_root_or_backed(node):
            return Fetch(())
        return self._prefetcher.begin(key, node, start, tags, stored)

    def end_prefetch(self, handle: Ongoing, tokens: int) -> Fetch:
        assert self._prefetcher is not None
        return self._prefetcher.end(handle, tokens)

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        self._victims.restart()
        result = self._tree.evict(
            self._sglang.params.EvictParams(num_tokens=full, swa_num_tokens=swa, mamba_num=mamba)
        )
        return result.num_tokens_evicted, result.swa_num_tokens_evicted, result.mamba_num_evicted

    def evict_host(self, tokens: int, component: Component) -> int:
        freed: int = self._tree.evict_host(tokens, self._sglang.tree.ComponentType(int(component)))
        return freed

    def load_back(self, anchor: Any, quota: int | None) -> int:
        # The request has a state already, in the slot that pads batches: what it would take for
        # itself, `copy_state` does.
        asking = request(self._sglang.torch.tensor(0))
        asking.last_node = anchor.last_device_node
        if self._can.host_hits:
            asking.swa_host_hit_length = anchor.swa_host_hit_length
            asking.mamba_host_hit_length = anchor.mamba_host_hit_length
        self._victims.restart()
        answer = self._tree.init_load_back(
            self._sglang.params.InitLoadBackParams(
                best_match_node=anchor.best_match_node,
                host_hit_length=anchor.host_hit_length,
                mem_quota=quota,
                req=asking,
            )
        )
        asked = self._transfers.loads_asked_for
        loaded = self._transfers.start_loading()
        _believe(answer, anchor, loaded, asked)
        return loaded

    def run_copies(self, count: int, load: bool = False, fail: bool = False) -> int:
        if fail:
            raise NotImplementedError("copies that fail")
        return self._transfers.run(count, load)

    def copied(self, load: bool) -> int:
        return self._transfers.copied(load)

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        return self._transfers.writing_check(blocking, limit)

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        return self._transfers.loading_check(blocking, limit)

    def in_flight(self) -> int:
        return self._transfers.in_flight()

    def refuse(self, pool: Pool) -> None:
        self._parts.refusals.refuse(pool)

    def reset(self) -> None:
        self._transfers.forget()
        self._parts.clear()
        if self._prefetcher is not None:
            self._prefetcher.forget()

    def check_itself(self) -> None:
        """Says what SGLang's own check finds wrong, and what is left over of prefetches."""
        if self._prefetcher is not None:
            self._prefetcher.check()
        try:
            with unheard():
                self._tree.sanity_check()
        except AssertionError as error:
            raise complaint(str(error)) from error

    def observe(self, whole: bool) -> Observation:
        return self._recorder.observe(whole)

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        return self._content.read(pool, slots)

    def swa_of(self, slots: Sequence[int]) -> list[int]:
        peers = self._recorder.peers()
        if peers is None or not slots:
            return [0] * len(slots)
        return list(peers[np.array(slots)].tolist())

    def close(self) -> None:
        self._parts.close()

    def _found(self, found: Any) -> Any:
        """Slots of the part of a match that is on the device."""
        if self._can.path_indices:
            return self._tree.path_device_indices(found.last_device_node)[: found.device_prefix_len]
        return found.device_indices

    def _is_root_or_backed(self, node: Any) -> bool:
        if self._can.tree_core:
            return bool(self._tree.is_backuped(node) or self._tree.is_root(node))
        return bool(node.backuped or node is self._tree.root_node)

    def _key(self, key: Key) -> Any:
        tokens = array("q", key.tokens) if self._can.token_arrays else list(key.tokens)
        return self._sglang.radix_key(tokens, key.namespace or None)

    def _tensor(self, slots: Sequence[int]) -> Any:
        return self._sglang.torch.tensor(slots, dtype=self._sglang.torch.int64)


class WrongAnswer(Exception):
    """What SGLang answers is not what it has done, and a scheduler would go on with it."""


def _believe(answer: Any, anchor: Any, loaded: int, asked: bool) -> None:
    """Hold what a load-back answers against what it has brought: the tokens that a request gets
    down to the best node of its match, and that node; or none, and the node on the device.

    Raises `WrongAnswer`.
    """
    more, node = answer
    length = more if isinstance(more, int) else len(more)
    right = anchor.best_match_node if length else anchor.last_device_node
    if node != right or length < loaded or (length and not asked):
        raise WrongAnswer(f"{length} tokens down to {node}, where {loaded} are brought to {right}")

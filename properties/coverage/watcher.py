"""The watcher follows one history and counts the milestones that it reaches.

Each is recognised just before the operation that reaches it. That costs time: a search watches only
some of its histories.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Evict,
    EvictHost,
    Finish,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefetch,
    Prefill,
    ReleaseWindow,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    Using,
    WritingCheck,
)
from radixproof.model.config import Pool
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_device_leaf
from radixproof.model.specification.trie import Holder, HolderKind, Page, PagesPerPool
from radixproof.properties.coverage import evicting, recognise
from radixproof.properties.coverage.inserting import fetched_end
from radixproof.properties.coverage.milestones import Met, Milestone
from radixproof.properties.generating.preview import goes_on, preview_match, reached


@dataclass(frozen=True, slots=True)
class Taken:
    """What was under a receipt when it was taken: nodes, pages with SWA, and the pools
    that it locks.
    """

    nodes: int
    windows: int
    pools: frozenset[Pool]


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a prefetch began with: its whole prompt, and the node that its prefix ended on."""

    key: Key
    stop: int
    """The end of what storage has of it."""
    end: Page
    length: int
    """Pages of the node."""
    on_device: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a match found: the pages of its best node, how many hang below, whether it is backed up
    and the backup acknowledged, and what is on the host only.
    """

    pages: int
    children: int
    backed: bool
    on_host: tuple[Page, ...]


def _found(model: Cache, best: Page) -> Found:
    on_host = tuple(page for page in best.path() if page.host_only)
    flying = any(best in copy.node for copy in model.copies.flying if not copy.load)
    backed = best.has(Pool.FULL_HOST) and not flying
    return Found(len(best.node()), len(best.children), backed, on_host)


def _under(receipt: PagesPerPool) -> Taken:
    pages = receipt.get(Pool.FULL, [])
    return Taken(
        sum(page.cut for page in pages),
        sum(page.has(Pool.SWA) for page in pages),
        frozenset(receipt),
    )


class Watcher:
    """Counts the milestones of one history. Every operation must be passed to it before
    it is performed.
    """

    def __init__(self) -> None:
        self.counts: Counter[Milestone] = Counter()
        self.taken: dict[Holder, Taken] = {}
        """Per live receipt, as seen when it was new."""
        self.overtaken: set[Holder] = set()
        """Copies in flight that an eviction came after."""
        self.kept: dict[str, Found] = {}
        """What kept matches found, by name."""
        self.passed: set[str] = set()
        """Those of them that an eviction came after."""
        self.launched: str | None = None
        """The request whose step has only been launched, as far as the history says."""
        self.left_over = False
        """It has ended since."""
        self.prompts: dict[str, Key] = {}
        """Prompts of all requests so far."""
        self.prefixes: dict[str, Prefix] = {}
        """Of prefetches, as they began."""
        self.aborted: set[Key] = set()
        """Prompts of requests that were aborted."""

    def before(self, model: Cache, operation: Operation) -> None:
        """This operation is next; the model is still as before it."""
        self.taken = {
            name: self.taken.get(name) or _under(receipt)
            for name, receipt in model.receipts.items()
        }
        self.overtaken &= {copy.holder for copy in model.copies.flying}
        for milestone in dict.fromkeys(self._met(model, operation)):
            self.counts[milestone] += 1

    def _met(self, model: Cache, operation: Operation) -> Met:
        yield from self._of_forward(model, operation)
        match operation:
            case Match() | Lock() | HostLock() | Insert() | HostInsert() | LoadBack():
                yield from self._of_prompt(model, operation)
            case Prefetch():
                yield from self._of_prefetch(model, operation)
            case EndPrefetch():
                yield from self._of_its_end(model, operation)
            case Evict():
                yield from evicting.of_evict(model, operation)
                self._overtake(model)
            case EvictHost(_, component):
                yield from evicting.of_evict_host(model, component)
            case RunCopies():
                yield from recognise.of_run(model, operation)
            case WritingCheck(blocking) | LoadingCheck(blocking):
                yield from self._of_check(model, isinstance(operation, LoadingCheck), blocking)
            case Unlock(receipt):
                yield from self._of_unlock(model, Holder(HolderKind.RECEIPT, receipt))
            case ReleaseWindow(receipt):
                yield from recognise.of_release(model, receipt)
            case Arrive() | Prefill() | Finish() | Abort():
                yield from self._of_request(model, operation)
            case Reset():
                if model.trie.recency and not _is_in_use(model):
                    yield Milestone.RESET_IN_FLIGHT if model.copies.flying else Milestone.RESET

    def _of_forward(self, model: Cache, operation: Operation) -> Met:
        """A step is launched; the request of one that was ends; and copies run meanwhile."""
        match operation:
            case Prefill(request, _, launched) | Decode(request, _, launched):
                late = launched and not self._is_all(model, operation)
                self.launched, self.left_over = request if late else None, False
            case Insert() | RunForward() | Reset():
                self.launched, self.left_over = None, False
            case Finish(request) | Abort(request) if request == self.launched:
                self.left_over = True
                if isinstance(operation, Finish):
                    yield Milestone.FINISH_WHILE_COMPUTED
            case RunCopies(_, load, _, rank) if self.left_over and model.copies.queued[load, rank]:
                copied, loaded = Milestone.COPIED_WHILE_COMPUTED, Milestone.LOADED_WHILE_COMPUTED
                yield loaded if load else copied

    def _is_all(self, model: Cache, operation: Prefill | Decode) -> bool:
        """Whether a request computes the rest of its prompt, which is never late (11.6), as far as
        its lock tells.
        """
        receipt = _lock_of(model, operation.request)
        if receipt is None or isinstance(operation, Decode):
            return False
        known = reached(model, receipt)
        return known + operation.tokens >= len(model.trie.units(self.prompts[operation.request]))

    def _overtake(self, model: Cache) -> None:
        """An eviction overtakes all copies in flight, and all kept matches, if it finds
        anything.
        """
        if any(is_device_leaf(page) for page in model.trie.recency_in[Pool.FULL]):
            self.overtaken |= {copy.holder for copy in model.copies.flying}
            self.passed |= set(self.kept)

    def _of_prompt(self, model: Cache, operation: Match | Using | Insert | HostInsert) -> Met:
        """A prompt is looked up, and what is found perhaps kept; or what was is used, if it still
        may be.
        """
        kept = None if isinstance(operation, Insert | HostInsert) else operation.kept
        if kept is None or isinstance(operation, Match):
            yield from recognise.of_prompt(model, operation)
            if isinstance(operation, Match) and kept is not None:
                self.kept[kept] = _found(model, preview_match(model, operation.key).best)
                self.passed.discard(kept)
        elif isinstance(operation, Using) and model.stands(kept):
            yield from self._of_late_use(model, operation, kept)

    def _of_late_use(self, model: Cache, operation: Using, name: str) -> Met:
        yield from recognise.of_prompt(model, operation)
        then, best = self.kept[name], model.kept[name].best
        if len(best.node()) < then.pages:
            yield Milestone.LATE_AFTER_SPLIT
        if len(best.children) > then.children:
            yield Milestone.LATE_AFTER_GROWTH
        if _found(model, best).backed and not then.backed:
            yield Milestone.LATE_AFTER_BACKUP
        on_host = [page for page in then.on_host if page.host_only]
        if len(on_host) < len(then.on_host):
            yield Milestone.LATE_AFTER_LOAD
        if isinstance(operation, LoadBack) and on_host:
            yield Milestone.LATE_LOAD
        if name in self.passed:
            yield Milestone.LATE_AFTER_EVICTION

    def _of_check(self, model: Cache, load: bool, blocking: bool) -> Met:
        if not blocking:
            yield from recognise.of_poll(model, load)
        for copy in model.copies.flying:
            if copy.load != load:
                continue
            if not (blocking or copy.complete):
                return
            if copy.holder in self.overtaken:
                yield Milestone.LOAD_ACK_AFTER_EVICTION if load else Milestone.ACK_AFTER_EVICTION

    def _of_prefetch(self, model: Cache, operation: Prefetch) -> Met:
        if Holder(HolderKind.PREFETCH, operation.prefetch) in model.receipts:
            return
        yield from recognise.of_prompt(model, operation)
        end = preview_match(model, operation.key).best
        stop = fetched_end(model, operation, end.end)
        prefix = Prefix(operation.key, stop, end, len(end.node()), end.has(Pool.FULL))
        self.prefixes[operation.prefetch] = prefix

    def _of_its_end(self, model: Cache, operation: EndPrefetch) -> Met:
        if Holder(HolderKind.PREFETCH, operation.prefetch) not in model.receipts:
            return
        prefix, tokens = self.prefixes[operation.prefetch], operation.tokens
        start, stop = prefix.end.end, prefix.stop
        end = stop if tokens is None else min(stop, start + model.config.floor(tokens))
        if start < end < stop:
            yield Milestone.PREFETCH_IN_PART
            if len(model.config.components) > 1:
                end = start  # with a window or a state, a part is of no use
        beyond = (page for page in model.trie.walk(prefix.key) if start < page.end <= end)
        if any(page.has(Pool.FULL_HOST) for page in beyond):
            yield Milestone.PREFETCH_OVERTAKEN
        if len(prefix.end.node()) < prefix.length:
            yield Milestone.PREFETCH_PREFIX_SPLIT
        if prefix.on_device and not prefix.end.has(Pool.FULL):
            yield Milestone.PREFETCH_ON_HOST_ONLY

    def _of_unlock(self, model: Cache, receipt: Holder) -> Met:
        if receipt not in self.taken:
            return
        then, now = self.taken[receipt], _under(model.receipts[receipt])
        if now.nodes > then.nodes:
            yield Milestone.UNLOCK_AFTER_SPLIT
        if now.windows > then.windows:
            yield Milestone.UNLOCK_AFTER_REVIVAL
        if now.pools < then.pools:
            yield Milestone.UNLOCK_AFTER_RELEASE

    def _of_request(self, model: Cache, operation: Arrive | Prefill | Finish | Abort) -> Met:
        receipt = _lock_of(model, operation.request)
        if isinstance(operation, Arrive):
            if receipt is None:
                yield from self._of_arrival(model, operation)
            return
        if receipt is None:
            return
        if isinstance(operation, Prefill):
            yield from recognise.of_progress(model, receipt, self.prompts[operation.request])
            if goes_on(model, receipt, self.prompts[operation.request], operation.tokens):
                yield from self._of_unlock(model, receipt)
            return
        for milestone in self._of_unlock(model, receipt):
            yield (
                Milestone.FINISH_AFTER_SPLIT
                if milestone is Milestone.UNLOCK_AFTER_SPLIT
                else milestone
            )
        if isinstance(operation, Finish) and operation.prompt_only:
            yield Milestone.FINISH_AT_PROMPT
        if isinstance(operation, Finish) and operation.past_stop:
            yield Milestone.FINISH_AT_STOP
        if isinstance(operation, Abort):
            self.aborted.add(self.prompts[operation.request])
            prefix = model.receipts[receipt].get(Pool.FULL, [])
            if any(
                page in prefix for copy in model.copies.flying if copy.load for page in copy.node
            ):
                yield Milestone.ABORT_WHILE_LOADING

    def _of_arrival(self, model: Cache, operation: Arrive) -> Met:
        key = operation.key
        found = preview_match(model, key)
        yield from recognise.of_key(model, found)
        yield from recognise.of_load(model, operation.quota, found)
        yield from recognise.of_lock(model, found)
        yield from recognise.of_arrival(model, operation.quota, found)
        if key in self.aborted:
            yield Milestone.REQUEST_RETRIED
        self.prompts[operation.request] = key


def _lock_of(model: Cache, request: str) -> Holder | None:
    """The lock by which a live request holds its prefix."""
    held = (holder for holder in model.receipts if holder.kind is HolderKind.REQUEST)
    return next((holder for holder in held if holder.name == request), None)


def _is_in_use(model: Cache) -> bool:
    """Whether anybody but copies holds a lock."""
    return any(holder.kind is not HolderKind.COPY for holder in model.receipts)

"""Milestones: situations that most bugs need and that random histories rarely reach (semantics 17.6), counted as they occur.

A search that finds nothing says little unless it was where the bugs are. Each milestone is recognised in the model, just before the
operation that meets it; a search samples some of its histories for them, since looking costs time that checking should not.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum

from radixproof.model.cache import Cache
from radixproof.model.config import Component, Config, Pool
from radixproof.model.operations import Evict, EvictHost, Insert, Key, Lock, Match, Operation, Reset, Unlock, WritingCheck
from radixproof.model.rules import boundaries, is_device_leaf, is_host_leaf
from radixproof.model.trie import Page


class Milestone(Enum):
    """A situation; the value says it in words."""

    SPLIT_LOCKED = "a key ends inside a node that a receipt locks"
    SPLIT_IN_FLIGHT = "a key ends inside a node whose backup is in flight"
    SPLIT_HOST_ONLY = "a key ends inside a node that is on the host only"
    SPLIT_TOMBSTONE = "a key ends inside a node without SWA state"
    HOST_HIT = "a match reaches further with the host than on the device"
    WINDOW_VETO = "a match stops short of FULL data because a whole window of SWA is not there"
    NAMESPACES_SHARE = "the same tokens are in the tree under two namespaces"
    DUPLICATE = "an insert brings nothing new"
    REUSE = "an insert extends the prefix that it matched"
    REVIVE = "an insert brings a host-only node back to the device"
    REVIVE_BELOW_BOUNDARY = "an insert brings a host-only node back without its SWA"
    RECOVER = "an insert gives a node its SWA back"
    RECOVER_LOCKED = "an insert gives a node its SWA back while a lock holds its FULL slots"
    BOUNDARY_INSIDE_NODE = "the SWA boundary is strictly inside a node that is there"
    BOUNDARY_INSIDE_LEAF = "the SWA boundary is strictly inside a new leaf"
    LEAF_BELOW_BOUNDARY = "a new leaf is wholly below the SWA boundary"
    LEAF_LONGER_THAN_WINDOW = "a new leaf with SWA is longer than a window"
    BACKUP_OF_ANCESTORS = "a node is due for backup below one that has none"
    BACKUP_MAKES_ROOM = "a backup needs host room that only eviction can make"
    BACKUP_REFUSED = "a backup is due for which the host cannot have room"
    DEMOTION = "an eviction starts with a leaf that is backed up"
    DELETION = "an eviction starts with a leaf that is not backed up"
    EVICTION_IN_FLIGHT = "something is evicted while backups are in flight"
    EVICTION_OF_TOO_MUCH = "more is asked for than is evictable"
    SWA_EVICTION_INTERIOR = "an SWA eviction starts with a node that is not a leaf"
    HOST_EVICTION_OF_CHAIN = "a host eviction meets a host-only chain of at least two nodes"
    HOST_EVICTION_OF_WINDOW = "a host eviction takes an SWA value off a node that stays"
    POLL_TOO_EARLY = "a poll finds only copies that have not run"
    POLL_PARTLY = "a poll finds some copies run and others not"
    UNLOCK_AFTER_SPLIT = "a receipt is given back after a node under it was split"
    UNLOCK_AFTER_REVIVAL = "a receipt is given back after SWA state arrived under it"
    RESET = "a cache that was used is reset"


class Lookout:
    """Counts the milestones of one history. It has to be told every operation before that is performed."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.counts: Counter[Milestone] = Counter()
        self.at_lock: dict[str, tuple[int, int]] = {}
        """Per receipt: nodes and pages with SWA under it when it was taken."""

    def see(self, model: Cache, operation: Operation) -> None:
        match operation:
            case Match(key):
                self._key(model, key)
            case Lock(receipt, key):
                self._key(model, key)
                self._lock(model, receipt, key)
            case Insert(key, evicted, reuse):
                self._key(model, key)
                self._insert(model, key, evicted, reuse)
            case Evict(full, swa):
                self._evict(model, full, swa)
            case EvictHost(_, component):
                self._evict_host(model, component)
            case WritingCheck(False) if model.in_flight:
                copied = [backup.copied for backup in model.in_flight]
                self._if(not any(copied), Milestone.POLL_TOO_EARLY)
                self._if(any(copied) and not all(copied), Milestone.POLL_PARTLY)
            case Unlock(receipt) if receipt in model.receipts and receipt in self.at_lock:
                nodes, live = self._under(model, receipt)
                self._if(nodes > self.at_lock[receipt][0], Milestone.UNLOCK_AFTER_SPLIT)
                self._if(live > self.at_lock[receipt][1], Milestone.UNLOCK_AFTER_REVIVAL)
            case Reset():
                self._if(bool(model.trie.order) and not model.receipts, Milestone.RESET)

    def _if(self, met: bool, milestone: Milestone) -> None:
        if met:
            self.counts[milestone] += 1

    def _key(self, model: Cache, key: Key) -> None:
        path = model.trie.walk(key)
        if not path:
            return
        end, root = path[-1], model.trie.root(key.namespace)
        device, best = boundaries(path, root, self.config.window)
        self._if(best.end > device.end, Milestone.HOST_HIT)
        self._if(any(page.has(Pool.FULL) for page in path if page.cut and page.end > device.end), Milestone.WINDOW_VETO)
        self._if(
            any(path[0].tokens in other.children for other in model.trie.roots.values() if other is not root),
            Milestone.NAMESPACES_SHARE,
        )
        if end.cut:
            return
        held = end.holders[Component.FULL]
        self._if(any(name.isidentifier() for name in held), Milestone.SPLIT_LOCKED)
        self._if(any(not name.isidentifier() for name in held), Milestone.SPLIT_IN_FLIGHT)
        self._if(end.host_only, Milestone.SPLIT_HOST_ONLY)
        self._if(self.config.window is not None and not end.has(Pool.SWA) and end.has(Pool.FULL), Milestone.SPLIT_TOMBSTONE)

    def _lock(self, model: Cache, receipt: str, key: Key) -> None:
        path = model.trie.walk(key)
        device, _ = boundaries(path, model.trie.root(key.namespace), self.config.window)
        under = path[: device.end // self.config.page_size]
        self.at_lock[receipt] = (_nodes(under), sum(page.has(Pool.SWA) for page in under))

    def _under(self, model: Cache, receipt: str) -> tuple[int, int]:
        pages = model.receipts[receipt].full
        return _nodes(pages), sum(page.has(Pool.SWA) for page in pages)

    def _insert(self, model: Cache, key: Key, evicted: int, reuse: bool) -> None:
        path, size, windowed = model.trie.walk(key), self.config.page_size, self.config.window is not None
        end, length = len(path) * size, self.config.floor(len(key.tokens))
        if evicted > length:
            return
        self._if(bool(path) and end == length and all(page.has(Pool.FULL) for page in path), Milestone.DUPLICATE)
        self._if(reuse and bool(path) and end < length, Milestone.REUSE)
        self._if(any(page.host_only for page in path), Milestone.REVIVE)
        if windowed:
            live = [page for page in path if page.end > evicted]
            self._if(any(page.host_only for page in path if page.end <= evicted), Milestone.REVIVE_BELOW_BOUNDARY)
            lost = [page for page in live if page.has(Pool.FULL) and not page.has(Pool.SWA)]
            self._if(bool(lost), Milestone.RECOVER)
            self._if(any(page.held(Component.FULL) for page in lost), Milestone.RECOVER_LOCKED)
            self._if(any(page.end == evicted and not page.cut for page in path), Milestone.BOUNDARY_INSIDE_NODE)
            self._if(end < evicted < length, Milestone.BOUNDARY_INSIDE_LEAF)
            self._if(end < length <= evicted, Milestone.LEAF_BELOW_BOUNDARY)
            self._if(length - max(end, evicted) > (self.config.window or 0), Milestone.LEAF_LONGER_THAN_WINDOW)
        self._backup(model, path, length - end)

    def _backup(self, model: Cache, path: list[Page], new: int) -> None:
        unbacked = [page for page in path if not page.has(Pool.FULL_HOST)]
        if self.config.threshold > 1 and not any(page.hits + 1 >= self.config.threshold for page in unbacked):
            return
        need = sum(len(page.tokens) for page in unbacked) + (new if self.config.threshold == 1 else 0)
        room = model.trie.free(Pool.FULL_HOST)
        spare = model.trie.host_only * self.config.page_size
        self._if(bool(unbacked) and (new > 0 or _nodes(unbacked) > 1), Milestone.BACKUP_OF_ANCESTORS)
        self._if(room < need <= room + spare, Milestone.BACKUP_MAKES_ROOM)
        self._if(need > room + spare, Milestone.BACKUP_REFUSED)

    def _evict(self, model: Cache, full: int, swa: int) -> None:
        trie = model.trie
        leaf = next((page for page in trie.device_order if is_device_leaf(page)), None)
        if full and leaf is not None:
            self._if(leaf.has(Pool.FULL_HOST), Milestone.DEMOTION)
            self._if(not leaf.has(Pool.FULL_HOST), Milestone.DELETION)
            self._if(bool(model.in_flight), Milestone.EVICTION_IN_FLIGHT)
        self._if(full > sum(len(page.tokens) for page in trie.device_order if not page.locked), Milestone.EVICTION_OF_TOO_MUCH)
        if swa and not full:
            victim = next((page for page in trie.swa_order if page.cut and not page.held(Component.SWA)), None)
            self._if(victim is not None and not is_device_leaf(victim), Milestone.SWA_EVICTION_INTERIOR)

    def _evict_host(self, model: Cache, component: Component) -> None:
        leaves = [page for page in model.trie.order if is_host_leaf(page)]
        chain = any(parent is not None and parent.host_only for parent in (leaf.node()[0].parent for leaf in leaves))
        self._if(component is Component.FULL and chain, Milestone.HOST_EVICTION_OF_CHAIN)
        if component is Component.SWA:
            stays = (page for page in model.trie.order if page.cut and page.has(Pool.SWA_HOST) and not page.has(Pool.SWA))
            self._if(any(not is_host_leaf(page) for page in stays), Milestone.HOST_EVICTION_OF_WINDOW)


def _nodes(pages: list[Page]) -> int:
    return sum(page.cut for page in pages)

"""The operations of the specification.

Where the rules are deterministic the model computes the answer. Where they leave a choice (which victims, which backups could be
started) it takes the system's choice, given as sets of pages, checks that it was legal, adopts it, and returns a `Breach` for
everything that was not. Without a choice (`wanted` None) it makes the strict one itself: exactly the least recently used.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise

from radixproof.model.config import Component, Config, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.eviction import Eviction, Gone, evict_host, follow_host_eviction
from radixproof.model.operations import Key
from radixproof.model.rules import boundaries, host_need, window_cut, window_lock, window_nodes
from radixproof.model.trie import Page, Trie, spell
from radixproof.model.verdict import Breach, Property

FULL, SWA = Component.FULL, Component.SWA


@dataclass(slots=True)
class Receipt:
    """What one lock covers: pages, so that no later split, tombstone or revival changes it (semantics 6)."""

    full: list[Page]
    swa: list[Page]


@dataclass(slots=True)
class Backup:
    """A backup in flight: a lock under its name, and whether the bytes have moved (semantics 8.3)."""

    name: str
    node: list[Page]
    copied: bool = False


@dataclass(slots=True)
class Inserting:
    """An insert between its two halves: residency is decided, hits and backups are not."""

    path: list[Page]
    existing: int
    """Pages of the path that were in the trie before."""
    cuts_before: set[Page] = field(default_factory=set)
    """Where nodes ended before, if the dialect asks."""
    evicted: int = 0
    opens: bool = False
    """Something arrived, or is there without a host copy: the tree may take a new shape, and backups may be started."""


class Cache:
    """The executable specification of a prefix cache with a device and a host tier under write-through."""

    def __init__(self, config: Config, dialect: Dialect) -> None:
        self.config = config
        self.dialect = dialect
        self.trie = Trie(config)
        self.receipts: dict[str, Receipt] = {}
        self.in_flight: list[Backup] = []
        self.backups_started = 0

    # -- looking up ------------------------------------------------------------------------------------------------------------

    def match(self, key: Key) -> tuple[Page, Page]:
        """The last page usable on device and the last page held on any tier (semantics 3). Cuts, and renews recency."""
        path = self.trie.walk(key)
        root = self.trie.root(key.namespace)
        if path:
            self.split(path[-1])
        device, best = boundaries(path, root, self.config.window)
        self._touch(path[: best.end // self.config.page_size])
        return device, best

    def split(self, page: Page) -> None:
        """A node ends with ``page`` from now on; no page changes its state (semantics 5)."""
        if page.cut:
            return
        page.cut = True
        if page.children and not self.dialect.split_keeps_hits:
            for upper in page.node():
                upper.hits = 0

    def _touch(self, path: list[Page]) -> None:
        """Renew the recency of a whole path; SWA state only near its end, where the next window is (semantics 3.5)."""
        self.trie.touch(path)
        if self.config.window is not None:
            reach = self.config.window + self.config.page_size
            self.trie.touch_swa(window_nodes(path, reach) if self.dialect.swa_recency_in_window else path)

    # -- inserting -------------------------------------------------------------------------------------------------------------

    def insert(self, key: Key, protected: int, evicted: int) -> Inserting:
        """First half of an insert: which pages are on device afterwards (semantics 4.1 to 4.3).

        ``protected`` and ``evicted`` are in tokens. Pages that are new or come back take the request's slots; a page without SWA
        state takes the request's, if the request still has it. Nothing else changes.
        """
        trie = self.trie
        path = trie.extend(key)
        existing = sum(page in trie.order for page in path)
        before = set() if self.dialect.hits_on_split_leaf else {page for page in path[:existing] if page.cut}
        if not path:
            return Inserting([], 0)
        evicted = max(protected, evicted)
        opens = not path[-1].cut
        for page in path:
            takes_swa = self.config.window is not None and page.end - self.config.page_size >= evicted
            opens = opens or not (page.has(Pool.FULL) and page.has(Pool.FULL_HOST)) or (takes_swa and not page.has(Pool.SWA))
            trie.put(page, Pool.FULL)
            if takes_swa:
                trie.put(page, Pool.SWA)
        self._cut_after_insert(path, existing, evicted)
        self._touch(path)
        return Inserting(path, existing, before, evicted, opens)

    def _cut_after_insert(self, path: list[Page], existing: int, evicted: int) -> None:
        """Node ends the insert made: where it left the tree, at the SWA boundary, and at its end (semantics 4.1 to 4.3)."""
        self.split(path[-1])
        if existing:
            self.split(path[existing - 1])
        for page, below in pairwise(path):
            if page.has(Pool.SWA) != below.has(Pool.SWA) or page.has(Pool.FULL_HOST) != below.has(Pool.FULL_HOST):
                self.split(page)
        live = max(evicted, path[existing - 1].end if existing else 0)
        if self.config.window is not None and self.dialect.leaf_cut_to_window and live < path[-1].end:
            cut = window_cut(live, path[-1].end, self.config)
            if cut > live:
                self.split(path[cut // self.config.page_size - 1])

    def finish_insert(self, insert: Inserting, started: Collection[Page] | None = None, gone: Gone | None = None) -> list[Breach]:
        """Second half: hits are counted, and nodes past the threshold are backed up, ancestors first (semantics 8.1 to 8.3).

        ``started`` are the pages that the system began to back up, ``gone`` those that made room for them.
        """
        breaches: list[Breach] = []
        counted = self._count_hits(insert)
        unbacked = [page for page in insert.path if not page.has(Pool.FULL_HOST)]
        made_room = gone is not None and (gone[Pool.FULL_HOST] or gone[Pool.SWA_HOST])
        if not unbacked and not made_room:
            return breaches
        due = max((page.end for page in counted if page.hits >= self.config.threshold and not page.has(Pool.FULL_HOST)), default=0)
        nodes = _nodes([page for page in unbacked if page.end <= due])
        if made_room and gone is not None:
            breaches += self._made_room(nodes, started or (), gone)
        if started is None:
            started = self._fitting(nodes)
        early = [page for page in unbacked if page in started and page.end > due]
        if early:
            text = f"{spell(early)} is backed up, but neither it nor anything below it on the path has {self.config.threshold} hits"
            breaches.append(Breach(Property.BACKUP, "early", text))
        for node in _nodes([page for page in unbacked if page in started]):
            self._back_up(node)
        self._owe([node for node in nodes if node[0] not in started])
        return breaches

    def _made_room(self, nodes: list[list[Page]], started: Collection[Page], gone: Gone) -> list[Breach]:
        """Host data made room for backups of ``nodes``: no more of it than that takes (semantics 8.3)."""
        if self.dialect.room_before_backup:
            nodes = [node for node in nodes if node[0] in started]
        need = [sum(host_need(node, component, self.config) for node in nodes) for component in (FULL, SWA)]
        wanted = need[FULL] - self.trie.free(Pool.FULL_HOST), need[SWA] - self._free_swa_host()
        return follow_host_eviction(self.trie, wanted, gone, counted=self.dialect.room_before_backup)

    def _free_swa_host(self) -> int:
        return 0 if self.config.window is None else self.trie.free(Pool.SWA_HOST)

    def _count_hits(self, insert: Inserting) -> list[Page]:
        """One hit for every page the insert walked or made; a piece that the insert itself split off may differ (semantics 8.1)."""
        counted = []
        uncounted = () if self.dialect.hits_on_split_leaf else self._split_pieces(insert)
        for page in insert.path:
            if page not in uncounted:
                page.hits += 1
                counted.append(page)
        return counted

    def _split_pieces(self, insert: Inserting) -> set[Page]:
        """Upper pieces that splitting at the SWA boundary or at one window made, of nodes that the insert had counted as one."""
        pieces: set[Page] = set()
        walked, new = insert.path[: insert.existing], insert.path[insert.existing :]
        nodes = _nodes(new)
        pieces.update(page for node in nodes[:-1] for page in node)
        for node in _nodes(walked):
            if node[-1].end == insert.evicted and node[-1] not in insert.cuts_before and node[-1] is not walked[-1]:
                pieces.update(node)
        return pieces

    def _fitting(self, nodes: list[list[Page]]) -> set[Page]:
        """The strict choice of backups: in order, until one has no room even after evicting host-only data."""
        chosen: set[Page] = set()
        need = [0, 0]
        for node in nodes:
            for component in self.config.components:
                pool = Pool.FULL_HOST if component is FULL else Pool.SWA_HOST
                need[component] += host_need(node, component, self.config)
                self.evict_host(need[component] - self.trie.free(pool), component)
                if self.trie.free(pool) < need[component]:
                    return chosen
            chosen.update(node)
        return chosen

    def _back_up(self, node: list[Page]) -> None:
        """Host copies count from now on; the node stays locked until the ack (semantics 8.3)."""
        for page in node:
            self.trie.put(page, Pool.FULL_HOST)
            if page.has(Pool.SWA):
                self.trie.put(page, Pool.SWA_HOST)
            page.owed = False
        self.backups_started += 1
        backup = Backup(f"backup {self.backups_started}", node)
        self.in_flight.append(backup)
        self._hold(backup.name, node[-1])

    def _owe(self, nodes: list[list[Page]]) -> None:
        """Nodes that should have been backed up, and for which the host has room even now, are owed (semantics 8.2)."""
        if not nodes:
            return
        room = self.trie.free(Pool.FULL_HOST) + self.trie.host_only * self.config.page_size
        room_swa = self._free_swa_host()
        if self.config.window is not None and self.dialect.room_before_backup:
            room_swa += sum(page.has(Pool.SWA_HOST) and not page.has(Pool.SWA) for page in self.trie.order) * self.config.page_size
        for node in nodes:
            room -= host_need(node, FULL, self.config)
            room_swa -= host_need(node, SWA, self.config)
            if room < 0 or room_swa < 0:
                return
            for page in node:
                page.owed = True

    # -- locking ---------------------------------------------------------------------------------------------------------------

    def lock(self, name: str, key: Key) -> Page:
        """Match, and lock the last device node under ``name`` (semantics 6.1). Returns the anchor."""
        device, _ = self.match(key)
        self._hold(name, device)
        return device

    def _hold(self, name: str, anchor: Page) -> None:
        window = self.config.window
        path = anchor.path()
        receipt = Receipt(path, [] if window is None else window_lock(path, window, self.dialect))
        self.receipts[name] = receipt
        for component, pages in ((FULL, receipt.full), (SWA, receipt.swa)):
            for page in pages:
                page.holders[component].add(name)
                self.trie.changed[page] = None

    def unlock(self, name: str) -> None:
        """Undo exactly what the lock of that name did (semantics 6.2)."""
        receipt = self.receipts.pop(name)
        for component, pages in ((FULL, receipt.full), (SWA, receipt.swa)):
            for page in pages:
                page.holders[component].discard(name)
                self.trie.changed[page] = None

    # -- copies ----------------------------------------------------------------------------------------------------------------

    def run_copies(self, count: int) -> list[Backup]:
        """The next ``count`` backups move their bytes, in queue order (semantics 17.1)."""
        ran = [backup for backup in self.in_flight if not backup.copied][:count]
        for backup in ran:
            backup.copied = True
        return ran

    def writing_check(self, blocking: bool) -> list[Backup]:
        """Backups whose copies have run are acknowledged, in queue order, and their locks released (semantics 8.4)."""
        if not self.in_flight:
            return []
        if blocking:
            self.run_copies(len(self.in_flight))
        acked: list[Backup] = []
        while self.in_flight and self.in_flight[0].copied:
            backup = self.in_flight.pop(0)
            self.unlock(backup.name)
            acked.append(backup)
        return acked

    # -- evicting --------------------------------------------------------------------------------------------------------------

    def evict(self, full: int, swa: int, gone: Gone | None = None) -> tuple[int, int, list[Breach]]:
        """Free device tokens (semantics 7.1). Returns the freed tokens per component."""
        eviction = Eviction(self.trie, (full, swa), gone, self.config.threshold)
        eviction.run()
        return eviction.freed(FULL), eviction.freed(SWA), eviction.breaches

    def evict_host(self, tokens: int, component: Component, gone: Gone | None = None) -> tuple[int, list[Breach]]:
        """Free host tokens (semantics 7.9). Returns the freed tokens."""
        return evict_host(self.trie, tokens, component, gone)


def _nodes(pages: list[Page]) -> list[list[Page]]:
    """A run of pages along a path, grouped into nodes."""
    nodes: list[list[Page]] = [[]]
    for page in pages:
        nodes[-1].append(page)
        if page.cut:
            nodes.append([])
    return [node for node in nodes if node]

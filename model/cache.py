"""The operations of the specification.

Where the rules are deterministic the model computes the answer. Where they leave a choice (which victims, which backups could be
started) it takes the system's choice, given as sets of pages, checks that it was legal, adopts it, and returns a `Breach` for
everything that was not. Without a choice it makes the strict one itself: exactly the first in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Config, Pool
from radixproof.model.copies import Copies, Copy
from radixproof.model.dialect import Dialect
from radixproof.model.eviction import Amounts, Choice, Eviction
from radixproof.model.host_eviction import evict_host, follow_host_eviction, reclaimable
from radixproof.model.key import Key
from radixproof.model.rules import (
    PagesPerPool,
    boundaries,
    device_lock,
    host_lock,
    host_need,
    nodes_of,
    pinned,
    refuses_load,
    to_load,
    window_cut,
    window_nodes,
)
from radixproof.model.trie import Page, Trie, spell
from radixproof.model.verdict import Breach, Property


@dataclass(slots=True)
class Inserting:
    """An insert between its two halves: residency is decided, hits and backups are not."""

    path: list[Page]
    existing: int
    """Pages of the path that were in the trie before."""
    cuts_before: set[Page] = field(default_factory=set)
    """Where nodes ended before, if the dialect asks."""
    evicted: int = 0
    taken: bool = False
    """The state that came with it was taken."""
    opens: bool = False
    """Something arrived, or is there without a host copy: the tree may take a new shape, and backups may be started."""


@dataclass(slots=True)
class Loading:
    """A load-back between its two halves: what it would bring, under its lock; whether there is room is not decided."""

    name: str
    best: Page
    lists: PagesPerPool
    refused: bool

    @property
    def full(self) -> int:
        return sum(len(page.tokens) for page in self.lists[Pool.FULL])


class Cache:
    """The executable specification of a prefix cache with a device and a host tier."""

    def __init__(self, config: Config, dialect: Dialect) -> None:
        self.config = config
        self.dialect = dialect
        self.trie = Trie(config)
        self.receipts: dict[str, PagesPerPool] = {}
        """What each lock covers: pages, so that no later split, tombstone or revival changes it (semantics 6)."""
        self.copies = Copies(config.ranks)
        self.inserts = 0
        self.refusing: set[Pool] = set()
        """Pools whose next allocation was told to fail, and may not have been made yet."""

    # -- allocations of requests -----------------------------------------------------------------------------------------------

    def refuse(self, pool: Pool) -> None:
        """The next allocation from a pool was told to fail (semantics 17.4)."""
        self.refusing.add(pool)

    def allocated(self, pool: Pool, count: int) -> None:
        """A request took slots of a pool; so no refusal is waiting there any more (semantics 13.4, 17.4)."""
        self.trie.rows[pool] += count
        self.refusing.discard(pool)

    def freed(self, pool: Pool, count: int) -> None:
        """A request gave slots of a pool back (semantics 13.4)."""
        self.trie.rows[pool] -= count

    def not_refusing(self, pools: Iterable[Pool]) -> None:
        """Allocations from these pools were made, so that no refusal is waiting there any more (semantics 17.4)."""
        self.refusing.difference_update(pools)

    # -- looking up ------------------------------------------------------------------------------------------------------------

    def match(self, key: Key) -> tuple[Page, Page]:
        """The last page usable on device and the last page held on any tier (semantics 3). Cuts, and renews recency."""
        path = self.trie.walk(key)
        if path:
            self.split(path[-1])
        device, best = boundaries(path, self.trie.root(key.namespace), self.config)
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
        """Renew the recency of a path; of SWA and MAMBA only what a request that goes on needs (semantics 3.5)."""
        self.trie.touch(path)
        if self.config.window is not None:
            reach = self.config.window + self.config.page_size
            self.trie.renew(
                window_nodes(path, reach) if self.dialect.swa_recency_in_window else path, Pool.SWA
            )
        if self.config.mamba_states:
            self.trie.renew(path[-1:] if self.dialect.mamba_recency_at_end else path, Pool.MAMBA)

    # -- inserting -------------------------------------------------------------------------------------------------------------

    def insert(
        self, key: Key, protected: int, evicted: int, state: bool = False, priority: int = 0
    ) -> Inserting:
        """First half of an insert: which pages are on device afterwards (semantics 4.1 to 4.3).

        ``protected`` and ``evicted`` are in tokens. Pages that are new or come back take the request's slots; a page without SWA
        state takes the request's, if the request still has it. Nothing else changes.
        """
        trie, self.inserts = self.trie, self.inserts + 1
        path = trie.extend(key)
        if not path:
            return Inserting([], 0)
        existing = sum(page in trie.recency for page in path)
        before = (
            set()
            if self.dialect.hits_on_split_leaf
            else {page for page in path[:existing] if page.cut}
        )
        evicted = max(protected, evicted)
        opens, backs_up = not path[-1].cut, self.config.hosted and not self.config.write_back
        for page in path:
            takes_swa = (
                self.config.window is not None and page.end - self.config.page_size >= evicted
            )
            opens = (
                opens
                or not page.has(Pool.FULL)
                or (takes_swa and not page.has(Pool.SWA))
                or (backs_up and page.lacks)
            )
            page.created = page.created if page in trie.recency else self.inserts
            page.priority = max(page.priority, priority)
            trie.put(page, Pool.FULL)
            if takes_swa:
                trie.put(page, Pool.SWA)
        taken = state and not path[-1].has(Pool.MAMBA)
        self._cut_after_insert(path, existing, evicted)
        if taken:
            trie.put(path[-1], Pool.MAMBA)
        self._touch(path)
        return Inserting(path, existing, before, evicted, taken, opens or taken)

    def _cut_after_insert(self, path: list[Page], existing: int, evicted: int) -> None:
        """Node ends the insert made: where it left the tree, at the SWA boundary, and at its end (semantics 4.1 to 4.3)."""
        self.split(path[-1])
        if existing:
            self.split(path[existing - 1])
        for page, below in pairwise(path):
            if page.has(Pool.SWA) != below.has(Pool.SWA) or page.has(Pool.FULL_HOST) != below.has(
                Pool.FULL_HOST
            ):
                self.split(page)
        live = max(evicted, path[existing - 1].end if existing else 0)
        if (
            self.config.window is not None
            and self.dialect.leaf_cut_to_window
            and live < path[-1].end
        ):
            cut = window_cut(live, path[-1].end, self.config.window, self.config.page_size)
            if cut > live:
                self.split(path[cut // self.config.page_size - 1])

    def finish_insert(self, insert: Inserting, choice: Choice | None = None) -> list[Breach]:
        """Second half: hits are counted, and nodes past the threshold are backed up, ancestors first (semantics 8.1 to 8.3)."""
        counted, breaches = self._count_hits(insert), list[Breach]()
        made_room = choice is not None and any(choice.gone[pool] for pool in HOST)
        open_pages = [page for page in insert.path if page.lacks]
        if not self.config.hosted or self.config.write_back or not (open_pages or made_room):
            return breaches
        due = self._due(counted)
        nodes = [node for node in nodes_of(open_pages) if node[-1] in due]
        if choice is None:
            started = self._fitting(nodes)
        else:
            started = {
                page for page in open_pages if any(page in choice.gained[pool] for pool in HOST)
            }
            if made_room:
                exact = self.dialect.room_before_backup and choice.sure
                breaches += self._made_room(
                    [node for node in nodes if node[-1] in started or not exact], choice, exact
                )
                started |= self._made_again(insert.path, open_pages, choice)
                open_pages, due = [page for page in insert.path if page.lacks], self._due(counted)
        early = [page for page in open_pages if page in started and page not in due]
        if early:
            text = f"{spell(early)} is backed up, but neither it nor anything below it on the path has {self.config.threshold} hits"
            breaches.append(Breach(Property.BACKUP, "early", text))
        for node in nodes_of([page for page in open_pages if page in started]):
            self._back_up(node)
        self._owe([node for node in nodes if node[-1] not in started])
        return breaches

    def _due(self, counted: list[Page]) -> set[Page]:
        """Pages to be backed up: past the threshold, and the ancestors that have no host copy yet (semantics 8.2, 4.4)."""
        past = [page for page in counted if page.hits >= self.config.threshold and page.lacks]
        due = {page for page in past if self.dialect.supplements or not page.has(Pool.FULL_HOST)}
        last = max((page.end for page in due), default=0)
        above = counted[-1].path() if due else []
        return due | {page for page in above if page.end <= last and not page.has(Pool.FULL_HOST)}

    def _made_room(self, nodes: list[list[Page]], choice: Choice, exact: bool) -> list[Breach]:
        """Host data made room for backups of ``nodes``: no more of it than that takes (semantics 8.3)."""
        pages = [page for node in nodes for page in node]
        full, swa, mamba = (
            host_need(pages, other, self.config) - self.trie.free(HOST[other])
            for other in COMPONENTS
        )
        return follow_host_eviction(
            self.trie, self.dialect, (full, swa, mamba), self.copies.busy(), choice, counted=exact
        )

    def _made_again(self, path: list[Page], before: list[Page], choice: Choice) -> set[Page]:
        """Pages that gave a host copy up to make room for one above, and that their own hit then backed up anew (semantics 8.3)."""
        lost = [page for page in path if page.lacks and page not in before]
        return {
            page for page in lost if not any(page in choice.gone[pool] for pool in page.lacking())
        }

    def _count_hits(self, insert: Inserting) -> list[Page]:
        """One hit for every page the insert walked or made; a piece that the insert itself split off may differ (semantics 8.1)."""
        if self.config.write_back and not self.dialect.hits_under_write_back:
            return []
        uncounted = () if self.dialect.hits_on_split_leaf else self._split_pieces(insert)
        counted = [page for page in insert.path if page not in uncounted]
        for page in counted:
            page.hits += 1
        return counted

    def _split_pieces(self, insert: Inserting) -> set[Page]:
        """Upper pieces that splitting at the SWA boundary or at one window made, of nodes that the insert had counted as one."""
        walked, new = insert.path[: insert.existing], insert.path[insert.existing :]
        pieces = {page for node in nodes_of(new)[:-1] for page in node}
        for node in nodes_of(walked):
            if (
                node[-1].end == insert.evicted
                and node[-1] not in insert.cuts_before
                and node[-1] is not walked[-1]
            ):
                pieces.update(node)
        return pieces

    def _fitting(self, nodes: list[list[Page]]) -> set[Page]:
        """The strict choice of backups: those that have room and hang under one that is backed up."""
        chosen: set[Page] = set()
        for node in nodes:
            above = node[0].parent
            hangs = (
                above is None
                or above.parent is None
                or above.has(Pool.FULL_HOST)
                or above in chosen
            )
            if hangs and self._make_host_room([*chosen, *node]):
                chosen.update(node)
        return chosen

    def _make_host_room(self, pages: list[Page]) -> bool:
        """Make room for a backup of ``pages``, strictly: nothing is evicted unless there can be room for all (semantics 8.3)."""
        short = {
            other: host_need(pages, other, self.config) - self.trie.free(HOST[other])
            for other in self.config.components
        }
        if any(
            need > reclaimable(self.trie, self.dialect, other, self.copies.busy())
            for other, need in short.items()
            if need > 0
        ):
            return False
        for component in short:
            self.evict_host(
                host_need(pages, component, self.config) - self.trie.free(HOST[component]),
                component,
            )
        return True

    def _back_up(self, node: list[Page], in_flight: bool = True) -> None:
        """Host copies of all that lacks one count from now on; the node stays locked until the ack (semantics 8.3)."""
        targets: PagesPerPool = {}
        for page in node:
            for pool in page.lacking():
                self.trie.put(page, pool)
                targets.setdefault(pool, []).append(page)
            page.owed = []
        if in_flight:
            copy = self.copies.submit(False, node[-1].node(), targets)
            self._hold(copy.name, device_lock(node[-1], self.config, self.dialect))

    def _owe(self, nodes: list[list[Page]]) -> None:
        """Nodes that should have been backed up, and for which the host has room even now, are owed (semantics 8.2)."""
        if not nodes or self.refusing.intersection(HOST):
            return
        idle = not any(pool.on_host for receipt in self.receipts.values() for pool in receipt)
        room, busy = [self.trie.free(pool) for pool in HOST], self.copies.busy()
        for component, host in zip(COMPONENTS, HOST, strict=True):
            if idle and (self.dialect.room_before_backup or component is Component.FULL):
                kept = sum(page.has(host) and not page.has(DEVICE[component]) for page in busy)
                room[component] += (len(self.trie.host_only[component]) - kept) * self.config.unit(
                    host
                )
        for node in nodes:
            for component in COMPONENTS:
                room[component] -= host_need(node, component, self.config)
            if min(room) < 0:
                return
            for page in node:
                page.owed = page.lacking()

    def host_insert(self, key: Key, start: int) -> int:
        """KV fetched from a store, beyond token ``start``: what the host takes of it, in tokens (semantics 10.3)."""
        trie, self.inserts = self.trie, self.inserts + 1
        walked = trie.walk(key)
        if walked:
            self.split(walked[-1])
        kept = 0
        for page in trie.extend(key):
            new, above = page not in trie.recency, page.parent
            assert above is not None
            attached = self.config.write_back or above.parent is None or above.has(Pool.FULL_HOST)
            refills = self.dialect.host_insert_refills and not self.config.write_back
            if page.end > start and not page.has(Pool.FULL_HOST) and attached and (new or refills):
                trie.put(page, Pool.FULL_HOST)
                kept += len(page.tokens)
                page.created = self.inserts if new else page.created
            if new and not page.has(Pool.FULL_HOST):
                del above.children[page.tokens]
                break
            trie.touch([page])
            walked = [*walked, page] if new else walked
        if walked:
            self.split(walked[-1])
        return kept

    # -- locking ---------------------------------------------------------------------------------------------------------------

    def lock(self, name: str, anchor: Page) -> None:
        """Lock a node on the device under ``name`` (semantics 6.1)."""
        self._hold(name, device_lock(anchor, self.config, self.dialect))

    def lock_host(self, name: str, anchor: Page) -> None:
        """Lock the host copies of a node under ``name`` (semantics 6.6)."""
        self._hold(name, host_lock(anchor, self.config))

    def _hold(self, name: str, pages: PagesPerPool) -> None:
        self.receipts[name] = pages
        for pool, covered in pages.items():
            for page in covered:
                page.holders[pool] = (*page.holders[pool], name)
                self.trie.changed[page] = None

    def unlock(self, name: str) -> None:
        """Undo exactly what the lock of that name did (semantics 6.2)."""
        self._release(name, tuple(self.receipts[name]))
        del self.receipts[name]

    def _release(self, name: str, pools: tuple[Pool, ...]) -> None:
        for pool in pools:
            for page in self.receipts[name].pop(pool, ()):
                page.holders[pool] = tuple(other for other in page.holders[pool] if other != name)
                self.trie.changed[page] = None

    def may_release(self, name: str) -> bool:
        """Whether a lock still has a window, or a state, to give back early."""
        return any(pool in self.receipts[name] for pool in (Pool.SWA, Pool.MAMBA))

    def release_window(self, name: str) -> bool:
        """Give window and state of a lock back early; a window that nothing below needs is freed. Was one? (semantics 6.4)."""
        window, freed = self.receipts[name].get(Pool.SWA, []), False
        self._release(name, (Pool.SWA, Pool.MAMBA))
        for node in nodes_of(window) if self.dialect.release_frees_leaf else []:
            last = not any(page.has(Pool.FULL) for page in node[-1].children.values())
            if last and node[-1].has(Pool.SWA) and not node[-1].locked_in(Pool.SWA):
                freed = True
                for page in node:
                    self.trie.drop(page, Pool.SWA)
                    self.trie.drop(page, Pool.MAMBA)
        return freed

    # -- copies ----------------------------------------------------------------------------------------------------------------

    def check(self, load: bool, blocking: bool) -> list[Copy]:
        """Copies that are complete are acknowledged, and their locks released (semantics 8.4, 9.5)."""
        acked = self.copies.check(load, blocking) if self.copies.flying else []
        for copy in acked:
            self.unlock(copy.name)
        return acked

    def load_back(self, best: Page, quota: int | None) -> Loading:
        """First half of a load-back: what it brings, with both tiers locked, if it is not refused (semantics 9.2, 9.3)."""
        path = best.path()
        lists = to_load(path, self.config) if self.config.hosted else {pool: [] for pool in DEVICE}
        loading = Loading(f"load-back {self.copies.started + 1}", best, lists, False)
        others, pins = (
            bool(lists[Pool.SWA] or lists[Pool.MAMBA]),
            0 if quota is None else pinned(path),
        )
        loading.refused = refuses_load(loading.full, others, pins, quota, self.config, self.dialect)
        if not loading.refused:
            self._hold(
                loading.name,
                device_lock(best, self.config, self.dialect) | host_lock(best, self.config),
            )
        return loading

    def finish_load(
        self, loading: Loading, loaded: bool | None = None, choice: Choice | None = None
    ) -> list[Breach]:
        """Second half: room is made and slots are filled, or everything is undone (semantics 9.3, 9.4)."""
        breaches: list[Breach] = []
        need = {pool: len(pages) * self.config.unit(pool) for pool, pages in loading.lists.items()}
        idle = {
            pool: sum(not page.locked_in(pool) for page in self.trie.recency_in[pool])
            for pool in DEVICE
            if not loaded
        }
        fits = loaded or all(
            need[pool] <= self.trie.free(pool) + idle[pool] * self.config.unit(pool)
            for pool in DEVICE
        )
        evicts = fits if loaded is None else loaded or (choice is not None and any(choice.gone))
        if evicts:
            full, swa, mamba = (
                max(0, need[pool] - self.trie.free(pool)) if fits else 0 for pool in DEVICE
            )
            breaches += self.evict((full, swa, mamba), choice)[1]
        if not self.dialect.room_before_load:
            breaches = [breach for breach in breaches if breach.violates is not Property.PROGRESS]
        if loaded or (
            loaded is None and all(need[pool] <= self.trie.free(pool) for pool in DEVICE)
        ):
            for pool, pages in loading.lists.items():
                for page in pages:
                    self.trie.put(page, pool)
            if (
                not self.dialect.segment_locks
            ):  # the lock that lasts is taken when the values are there
                self.unlock(loading.name)
                lasting = device_lock(loading.best, self.config, self.dialect) | host_lock(
                    loading.best, self.config
                )
                self._hold(loading.name, lasting)
            marked = dict.fromkeys(
                page
                for pages in loading.lists.values()
                for one in pages
                for page in one.node_end().node()
            )
            self.copies.submit(True, list(marked), loading.lists)
            return breaches
        self.unlock(loading.name)
        kept = (
            page for page in self.trie.recency if page.host_locked
        )  # a leaf without host copy above one cannot be deleted (7.4)
        surely = fits and not self.refusing and self.dialect.room_before_load
        if surely and all(above.has(Pool.FULL_HOST) for page in kept for above in page.path()):
            refused = (
                f"a load-back of {loading.full} FULL tokens was refused, but there is room for it"
            )
            return [*breaches, Breach(Property.PROGRESS, "load-refused", refused)]
        return breaches

    # -- evicting --------------------------------------------------------------------------------------------------------------

    def evict(self, asked: Amounts, choice: Choice | None = None) -> tuple[Amounts, list[Breach]]:
        """Free device tokens (semantics 7.1). Returns what was freed per component."""

        unbacked: list[list[Page]] = []

        def back_up(node: list[Page]) -> None:
            unbacked.extend([] if node[-1].has(Pool.FULL_HOST) else [node])
            if choice is not None:
                for page in node:
                    for pool in page.lacking():
                        if page in choice.gained[pool]:
                            self.trie.put(page, pool)
            elif not node[-1].has(Pool.FULL_HOST) and self._make_host_room(node):
                self._back_up(node, in_flight=False)

        eviction = Eviction(self.trie, self.dialect, asked, choice, back_up)
        eviction.run()
        in_vain = choice is not None and not (choice.sure and self.dialect.room_before_backup)
        if choice is not None and self.config.write_back and (unbacked or in_vain):
            self._adopt_host_losses(choice)
        full, swa, mamba = (eviction.freed(component) for component in COMPONENTS)
        return (full, swa, mamba), eviction.breaches

    def _adopt_host_losses(self, choice: Choice) -> None:
        """Host copies that made room for others while a write_back eviction went on: which, is not judged (semantics 14.10)."""
        for pool in HOST:
            for page in choice.gone[pool]:
                self.trie.drop(page, pool)
        for page in sorted(choice.gone[Pool.FULL_HOST], key=lambda page: -page.end):
            if not any(page.resident_in) and not page.children and page in self.trie.recency:
                self.trie.remove(page)

    def evict_host(
        self, tokens: int, component: Component, choice: Choice | None = None
    ) -> tuple[int, list[Breach]]:
        """Free host tokens (semantics 7.9). Returns the freed tokens."""
        return evict_host(self.trie, self.dialect, tokens, component, self.copies.busy(), choice)

"""Following the backups of an insert: only what was due, and the room that was made for it."""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Pool
from radixproof.model.following import breaches as wording
from radixproof.model.following.choice import Choice, Owed, met_refusal
from radixproof.model.following.host_eviction import FollowedHostEviction, kept_leaves
from radixproof.model.following.host_room import FollowedHostRoom, is_settled
from radixproof.model.specification.backing_up import (
    back_up,
    can_have_host_room,
    due_nodes,
    due_pages,
    hangs_from_backed,
    host_need,
    host_shortage,
    make_host_room,
    supplement,
    to_copy,
    window_to_copy,
)
from radixproof.model.specification.host_eviction import reclaimable
from radixproof.model.specification.nodes import nodes_of
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page, PagesPerPool
from radixproof.model.verdict import Breach


@dataclass(slots=True)
class FollowedBackups:
    """The backups that a system started, and what left the host to make room for them
    (semantics 8.2, 8.3).
    """

    owed: Owed
    choice: Choice
    counted: bool = True
    """The insert counts as a use where every insert is counted by itself (semantics 8.1)."""
    too_early: Page | None = None
    """It was backed up before its state was attached (semantics 8.3)."""
    overdue: list[Breach] = field(default_factory=list)
    """The first copy that had to be made, and was not (semantics 8.2)."""
    breaches: list[Breach] = field(default_factory=list)

    def start(
        self,
        state: State,
        path: Sequence[Page],
        counted: Sequence[Page],
        late: Page | None = None,
    ) -> None:
        """Back up what was backed up; whatever else was due is owed (semantics 8.2, 8.3)."""
        if late is None and not (self.choice.made_host_room() or any(page.lacks for page in path)):
            return
        due = due_nodes(state, path, counted)
        marked = state.copies.marked_by_backups()
        if is_settled(state, self.choice):
            self._start_in_turn(state, path, counted, due, marked)
        else:
            due += self._start_as_seen(state, path, counted, due, late)
            self._owe(state, [node for node in due if to_copy(state, node)], marked)

    def _start_as_seen(
        self,
        state: State,
        path: Sequence[Page],
        counted: Sequence[Page],
        nodes: list[list[Page]],
        late: Page | None,
    ) -> list[list[Page]]:
        """Adopt what was started, whatever made room for it; returns what is a supplement (8.2)."""
        lacking = [page for page in path if page.lacks]
        window = _window_at_the_end(state, path)
        started = {page for page in lacking if self._was_started(page)}
        if self.choice.made_host_room():
            backed_up = [node for node in nodes_of(lacking) if node[-1] in started]
            tried = [*nodes, *_due_by_inserts(state, lacking)]
            refused = [node for node in tried if node[-1] not in started]
            self._made_room(state, backed_up, refused, late)
        self.too_early = None if late is None or late.has(Pool.FULL_HOST) else late
        self._adopt(state, path, started, counted)
        return self._supplement(state, path, late, window)

    def _was_started(self, page: Page) -> bool:
        """A page was copied, and not its SWA alone, with the window of another node (8.3)."""
        full = page.has(Pool.FULL_HOST) or page in self.choice.gained[Pool.FULL_HOST]
        return full and self.choice.copied(page)

    def _start_in_turn(
        self,
        state: State,
        path: Sequence[Page],
        counted: Sequence[Page],
        due: list[list[Page]],
        marked: Collection[Page],
    ) -> None:
        """Backups were made from the top down: each had its room made for it, or is owed if it was
        due and could have had it (8.2, 8.3).
        """
        ends = {node[-1] for node in due}
        self.breaches += kept_leaves(self.choice)
        room = FollowedHostRoom(state, self.choice)
        for node in nodes_of(path):
            lacking = [page for page in node if page.lacks]
            if any(room.remains(page, pool) for page in lacking for pool in page.lacking()):
                self._tell_of_early(state, lacking, path, counted)
                make_host_room(state, node, room.evict)
                targets = to_copy(state, node)
                self._adopt_one(state, node, targets)
                room.copied(targets)
            elif lacking and lacking[-1] in ends and hangs_from_backed(node):
                self._owe(state, [lacking], marked)
        if self.choice.made_host_room():
            room.finish()
        self.breaches += room.breaches

    def _adopt(
        self, state: State, path: Sequence[Page], started: Collection[Page], counted: Sequence[Page]
    ) -> None:
        """Adopt these backups (semantics 8.2, 8.3)."""
        pages = [page for page in path if page.lacks and page in started]
        if not state.dialect.supplements:
            pages = [page for page in pages if not page.has(Pool.FULL_HOST)]
        self._tell_of_early(state, pages, path, counted)
        for node in nodes_of(pages):
            self._adopt_one(state, node, to_copy(state, node, state.copies.marked_by_backups()))

    def _tell_of_early(
        self, state: State, pages: Sequence[Page], path: Sequence[Page], counted: Sequence[Page]
    ) -> None:
        """Of what is about to be adopted, what was not due is a breach (semantics 8.2)."""
        due = due_pages(state, counted)
        early = [page for page in pages if page not in due]
        if early:
            self.breaches.append(wording.backed_up_early(early, path, state.config.threshold))

    def _supplement(
        self, state: State, path: Sequence[Page], late: Page | None, window: list[Page]
    ) -> list[list[Page]]:
        """The last node of the path, if it needs one now that it has its state: it is adopted if it
        was made (4.4). Its ``window`` is that of before room was made for it.
        """
        if late is not None:
            state.trie.put(late, Pool.MAMBA)
        nodes = supplement(state, path)
        for node in nodes:
            self._adopt_one(state, node, self._supplemented(state, node, window))
        return nodes

    def _adopt_one(self, state: State, node: list[Page], targets: PagesPerPool) -> None:
        """Adopt one backup, if there was any; what it copies is owed no more (8.2, 8.3)."""
        if targets:
            back_up(state, node, targets)
        for page in chain.from_iterable(targets.values()):
            self.owed.pop(page, None)

    def _supplemented(self, state: State, node: list[Page], window: list[Page]) -> PagesPerPool:
        """What was copied of what a supplement of a node has to copy (semantics 4.4)."""
        gained = self.choice.gained
        targets = to_copy(state, node)
        swa = dict.fromkeys([*window, *targets.get(Pool.SWA_HOST, ())])
        targets[Pool.SWA_HOST] = [page for page in swa if not page.has(Pool.SWA_HOST)]
        copied = {
            pool: [page for page in pages if page in gained[pool]]
            for pool, pages in targets.items()
        }
        return {pool: pages for pool, pages in copied.items() if pages}

    def _made_room(
        self,
        state: State,
        backed_up: list[list[Page]],
        refused: list[list[Page]],
        late: Page | None,
    ) -> None:
        """Host data was evicted for backups, whether they were due or not: no more of it than they
        need, and those that may have been refused once they had their room, one for each refusal
        (semantics 8.3, 17.4).
        """
        exact = state.dialect.room_before_backup
        refusing = set() if self.choice.sure else state.refusing.intersection(HOST)
        met = [
            node
            for node in refused
            if refusing.intersection(to_copy(state, node)) and can_have_host_room(state, node)
        ]
        served = [*backed_up, *(met[: len(refusing)] if exact else refused)]
        short = host_shortage(state, served).plus(Amounts(mamba=int(late is not None)))
        eviction = FollowedHostEviction(state, short, self.choice, exact)
        eviction.run()
        self.breaches += eviction.breaches

    def _owe(self, state: State, nodes: list[list[Page]], marked: Collection[Page]) -> None:
        """What was due, and still fits on the host, is owed; ``marked`` is what backups in flight
        had marked before (semantics 8.2).
        """
        hidden = state.refusing.intersection(HOST) and not state.dialect.room_before_backup
        if not nodes or hidden or state.config.write_back:
            return
        room = [_room_for_debts(state, component) for component in COMPONENTS]
        uncounted = wording.is_uncounted(self.counted, nodes, state.config.threshold)
        for number, node in enumerate(nodes, 1):
            if any(map(operator.lt, room, host_need(state, nodes[:number]))):
                break
            if refused := state.refusing.intersection(to_copy(state, node)):
                met_refusal(state, refused)
                break
            self._owe_one(state, node, marked, uncounted)

    def _owe_one(
        self, state: State, node: list[Page], marked: Collection[Page], uncounted: bool
    ) -> None:
        """All that a backup of a node would have copied is owed (semantics 8.2)."""
        for pool, pages in to_copy(state, node).items():
            for page in pages:
                busy = any(one in marked for one in node[-1].path() if one.end >= page.end)
                due = page if page in node else node[-1]
                rule = wording.unpaid(due, pool.component, busy, uncounted)
                if page is self.too_early and pool is Pool.MAMBA_HOST:
                    rule = wording.STATE_TOO_LATE
                debts = self.owed.setdefault(page, {})
                debts[pool] = debts.get(pool, rule) if uncounted else rule
                if not self.overdue and is_settled(state, self.choice):
                    self.overdue = [
                        wording.not_backed_up(page.node(), pool, rule, state.config.threshold)
                    ]


def _window_at_the_end(state: State, path: Sequence[Page]) -> list[Page]:
    """What the window that ends with a path lacks on the host (semantics 8.3)."""
    size = state.config.window or 0
    return [page for end in path[-1:] for page in window_to_copy(end, size, ())]


def _due_by_inserts(state: State, lacking: Sequence[Page]) -> list[list[Page]]:
    """What counts as due where every insert is taken for a use, and room may be made for it in vain
    (semantics 8.1, 8.3).
    """
    if state.dialect.room_before_backup:
        return []
    return [node for node in nodes_of(lacking) if node[-1].inserts >= state.config.threshold]


def _room_for_debts(state: State, component: Component) -> int:
    """Host slots that are free, or could certainly be freed for a backup (semantics 8.2, 8.3)."""
    host = HOST[component]
    free = state.trie.free(host)
    if state.dialect.room_before_backup:
        return free + sum(reclaimable(state, component))
    if component is not Component.FULL or _anything_host_locked(state):
        return free
    busy = state.copies.busy()
    kept = sum(page.has(host) and not page.has(DEVICE[component]) for page in busy)
    return free + (len(state.trie.host_only[component]) - kept) * state.config.unit(host)


def _anything_host_locked(state: State) -> bool:
    """Whether any host lock exists: it may keep host data, and what is above that (6.6, 7.9)."""
    return any(pool.on_host for receipt in state.receipts.values() for pool in receipt)

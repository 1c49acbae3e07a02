"""Following a device eviction: each victim must have been the first in order of what could go."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Pool
from radixproof.model.following import breaches as wording
from radixproof.model.following import wrong_orders as causes
from radixproof.model.following.choice import Choice, Owed, may_spoil_write_back, met_refusal
from radixproof.model.following.host_room import (
    FollowedHostRoom,
    adopt_host_losses,
    is_settled,
)
from radixproof.model.following.refusals import Refusals
from radixproof.model.specification.backing_up import (
    can_have_host_room,
    copy_to_host,
    has_host_room,
    host_need,
    host_room,
    make_host_room,
    to_copy,
)
from radixproof.model.specification.device_eviction import evict, may_go, take
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.host_eviction import held_by
from radixproof.model.specification.nodes import is_device_leaf
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page, PagesPerPool
from radixproof.model.verdict import Breach, Property, Witness


@dataclass(slots=True)
class FollowedEviction:
    """A chooser that takes what the system took, and says what was wrong with it (semantics 7)."""

    state: State
    owed: Owed
    asked: Amounts
    choice: Choice
    amount_known: bool = True
    """What was asked for. If unknown, who goes and what is lost are judged, but not how much."""
    victims: list[Amounts] = field(default_factory=list)
    """What each freed."""
    to_write: Amounts = field(default_factory=Amounts)
    """Host slots that backups of all victims may take."""
    lacking: bool = False
    """Something of a victim had no host copy, so write_back may have made room for one."""
    host: FollowedHostRoom | None = None
    """What became of the host meanwhile, where that is settled."""
    room: Amounts | None = None
    """What the host could have held when the eviction began, where that is not told otherwise."""
    late: set[Page | None] = field(default_factory=set)
    """Leaves only since a victim that may have had to wait for a later drive (7.1)."""
    refusals: Refusals | None = None
    """What is pending, if that is known: one possibility (17.4)."""
    refused: Page | None = None
    """The last node whose write-back met a refusal."""
    refused_in: dict[Page, Component] = field(default_factory=dict)
    """Leaves that a host lock kept in a drive for a refusal, and which drive that was (7.4)."""
    without_room: set[Page] = field(default_factory=set)
    """Leaves that a host lock kept in this drive, for want of room (7.4)."""
    drive: Component = Component.FULL
    """The component whose drive it is (7.1)."""
    spoilt: bool = False
    """A write-back may have met a refusal, so that who came first is hidden (7.4, 17.4)."""
    breaches: list[Breach] = field(default_factory=list)

    def run(self) -> None:
        """First what had to go, then what went beyond that, then what made room for it
        (7.1, 14.10).
        """
        self.spoilt = self.refusals is None and may_spoil_write_back(self.state)
        if self.state.config.write_back and not self._is_exact():
            self.room = host_room(self.state)
        if self.state.config.write_back and is_settled(self.state, self.choice):
            self.host = FollowedHostRoom(self.state, self.choice)
        free = [self.state.trie.free(pool) for pool in HOST]
        evict(self.state, self.asked, self)
        self._take_the_rest()
        if self.state.config.write_back and (self.lacking or not self._is_exact()):
            self._adopt_the_host(free)

    @property
    def freed(self) -> Amounts:
        """What all victims freed (semantics 7.5)."""
        total = Amounts()
        for victim in self.victims:
            total = total.plus(victim)
        return total

    def _adopt_the_host(self, free: Sequence[int]) -> None:
        """Adopt what became of the host, of which so much was ``free``; say what was wrong with it,
        unless it may follow from what was wrong on the device (7.9, 8.3, 14.10).
        """
        fits = self._is_exact() and all(map(operator.le, self.to_write, free))
        met = self.refused is not None or bool(self.refused_in)
        if fits and not met and self.choice.made_host_room():
            self.breaches.append(wording.host_room_unneeded())
        if self.host is not None and not self.breaches:
            self.host.finish()
            self.breaches += self.host.breaches
        else:
            adopt_host_losses(self.state, self.choice)

    def _is_exact(self) -> bool:
        """The host evicts for backups that succeed, and for nothing else (semantics 8.3, 17.4)."""
        return self.choice.sure and self.state.dialect.room_before_backup

    # -- choosing ----------------------------------------------------------------------------------

    def may_go(self, end: Page) -> bool:
        """As observed, once it can; or else if it certainly can, even if its backup fails (7.4)."""
        if end in self.refused_in and self._stays(end, self.drive):
            return False
        if end in self.choice.gone[Pool.FULL]:
            certain = self._is_exact() or self._came_after_its_parent(end)
            could = not certain or self._had_room(end)
            return may_go(self.state, end, written_back=could)
        if self.host is None and end in self.choice.gone[Pool.FULL_HOST]:
            return False
        return may_go(self.state, end, written_back=self._must_have_room(end))

    def _had_room(self, end: Page) -> bool:
        """The host has room for a copy, and had it when it was asked first in this drive (7.4)."""
        if self.host is None or end in self.refused_in:
            return can_have_host_room(self.state, end.node())
        return self._must_have_room(end)

    def _must_have_room(self, end: Page) -> bool:
        """The host had room for a copy whenever it was asked for one (7.4, 8.3)."""
        if self.host is None or end in self.refused_in or end in self.without_room:
            return False
        room = can_have_host_room(self.state, end.node())
        if not room:
            self.without_room.add(end)
        return room

    def _stays(self, end: Page, component: Component) -> bool:
        """A leaf meets a refusal, and a host lock keeps it: not in this drive (7.4, 17.4)."""
        if (
            self.host is None
            or not is_device_leaf(end)
            or may_go(self.state, end, written_back=False)
        ):
            return False
        node = end.node()
        if (
            self.refused_in.get(end) is not component  # a drive comes to it once
            and self._meets_refusal(node, to_copy(self.state, node))
        ):
            make_host_room(self.state, node, self.host.evict)
            self.refused_in[end] = component
        return self.refused_in.get(end) is component

    def victim(self, component: Component, candidates: Iterable[Page]) -> Page | None:
        """The first in order that went; passing others over is a breach (semantics 7.1 to 7.3)."""
        gone = self.choice.gone[DEVICE[component]]
        before: Page | None = None
        self._enter(component)
        for page in candidates:
            if self._stays(page, component):
                continue
            if page in gone:
                if before is not None:
                    self.breaches.append(self._passed_over(before, page, component))
                if component is Component.FULL and self._may_have_gone_later(page):
                    self.late.add(page.node()[0].parent)
                return page
            excused = component is Component.FULL and page in self.late
            if page not in self.choice.waited and not excused:
                before = before or page
        if before is not None and self.amount_known:
            self.breaches.append(self._passed_over(before, None, component))
        return None

    def _enter(self, drive: Component) -> None:
        """What had no room in another drive is tried anew (7.1)."""
        if drive is not self.drive:
            self.drive = drive
            self.without_room.clear()

    def _came_after_its_parent(self, end: Page) -> bool:
        """Its parent is yet to lose SWA or a state alone, as only a node with a leaf below it does
        (7.3).
        """
        parent = end.node()[0].parent
        if parent is None or parent in self.choice.gone[Pool.FULL]:
            return False
        return any(parent in self.choice.gone[pool] and parent.has(pool) for pool in DEVICE[1:])

    def _may_have_gone_later(self, end: Page) -> bool:
        """A leaf for which the host may have had no room before the SWA or MAMBA drive, or that met
        a refusal there (7.4, 8.3, 17.4); or one that was none before such a leaf went.
        """
        if end in self.late:
            return True
        room = not self.state.config.write_back or can_have_host_room(self.state, end.node())
        return not may_go(self.state, end, written_back=room and not self.spoilt)

    def _passed_over(self, before: Page, taken: Page | None, component: Component) -> Breach:
        """Another was ``taken`` in its place, or none (semantics 7.1 to 7.4).

        Where recency alone says who is first, a wrong recency explains it as well, if the order on
        the host is settled; so does a wrong priority, and a split that counts as a use.
        """
        policy = self.state.config.eviction_policy
        told = taken is None or (
            causes.newer_half(before, taken, component, policy) is None
            if self.host is None and not causes.ranks_apart(taken, before, component, policy)
            else causes.ranks_apart(taken, before, component, policy)
            and not causes.is_more_urgent(taken, before, policy)
        )
        if told and self._is_stuck(before, taken):
            return wording.unbacked_leaf_kept(before)
        if taken is None:
            freed = self.freed[component]
            return wording.stopped_early(before, component, self.asked[component], freed)
        return wording.out_of_order(
            taken, before, component, policy, self.choice, spoilt=self.spoilt
        )

    def _is_stuck(self, end: Page, taken: Page | None) -> bool:
        """A leaf that write_back cannot back up, or could not when the eviction began, for want of
        room on the host; or that met a refusal, as whoever was ``taken`` did not (7.4, 17.4).
        """
        if end.has(Pool.FULL_HOST) or not (self.state.config.write_back and is_device_leaf(end)):
            return False
        unmet = taken is None or taken.has(Pool.FULL_HOST) or self._may_have_been_copied(taken)
        refused = unmet and self.spoilt
        if refused or not can_have_host_room(self.state, end.node()):
            return True
        need = host_need(self.state, [end.node()])
        return self.room is not None and any(map(operator.gt, need, self.room))

    def _may_have_been_copied(self, end: Page) -> bool:
        """A host copy was made, or may have been and have made room for another since, also for
        one that was then not made (7.9, 8.3).
        """
        gained = self.choice.gained
        short = (
            need > self.state.trie.free(host) - len(gained[host]) * self.state.config.unit(host)
            for need, host in zip(host_need(self.state, [end.node()]), HOST, strict=True)
        )
        in_vain = not self.state.dialect.room_before_backup
        return in_vain or self.choice.copied(end) or any(short)

    def write_back(self, node: list[Page]) -> None:
        """Adopt the host copies that a victim got (semantics 7.4, 8.3, 14.10)."""
        self.lacking |= any(page.lacks for page in node)
        self.to_write = self.to_write.plus(host_need(self.state, [node]))
        if self.host is not None:
            needed = to_copy(self.state, node)
            if self._meets_refusal(node, needed):
                self.refused = node[-1]
                make_host_room(self.state, node, self.host.evict)
                return
            self._copy_by_the_rule(self.host, node, needed)
        for pool, pages in to_copy(self.state, node).items():
            for page in pages:
                if page in self.choice.gained[pool]:
                    self.state.trie.put(page, pool)

    def _copy_by_the_rule(
        self, host: FollowedHostRoom, node: list[Page], needed: PagesPerPool
    ) -> None:
        """A victim is copied, and room is made for it, unless it was certainly not copied (7.4)."""
        copied = any(host.remains(page, pool) for pool, pages in needed.items() for page in pages)
        tried = copied or not self._could_be_backed_up(node)
        if needed and tried and make_host_room(self.state, node, host.evict):
            targets = to_copy(self.state, node)
            copy_to_host(self.state, targets)
            host.copied(targets)

    def _meets_refusal(self, node: list[Page], needed: PagesPerPool) -> bool:
        """There is room for a copy, and its slots are asked for, but refused (8.3, 17.4)."""
        if self.refusals is None or not can_have_host_room(self.state, node):
            return False
        return self.refusals.meet(needed)

    def leaving(self, end: Page, component: Component) -> Sequence[Pool]:
        """What left; a leaf should have left as a whole, without anything being lost
        (7.3, 7.4, 7.6). What went whole after all below it was a leaf by then, and out of order at
        most.
        """
        pools: Sequence[Pool] = tuple(pool for pool in DEVICE[1:] if self._left(end, pool))
        if end in self.choice.gone[Pool.FULL] and is_device_leaf(end):
            pools = DEVICE
        elif is_device_leaf(end) and self.amount_known and not self.spoilt:
            policy = self.state.config.eviction_policy
            self.breaches.append(wording.leaf_lost_a_value(end, self._gone(), policy))
        elif (
            component is Component.MAMBA
            and Pool.SWA in pools
            and end not in self.choice.gone[Pool.FULL]
        ):
            self.breaches.append(
                wording.window_lost_with_state(end, self.choice if self.spoilt else None)
            )
        node = end.node()
        self._note_deletion(node, pools)
        self.victims.append(held_by(self.state, node, pools))
        self.breaches += self._losses(node, pools)
        return pools

    def _gone(self) -> list[Page]:
        """The ends of nodes that lost anything on the device (semantics 7.1)."""
        return [page for pool in DEVICE for page in self.choice.gone[pool] if page.cut]

    def _note_deletion(self, node: list[Page], pools: Sequence[Pool]) -> None:
        """What hangs below a leaf that is deleted leaves the host with it (7.4)."""
        if self.host is not None and Pool.FULL in pools and not node[-1].has(Pool.FULL_HOST):
            below = [page for page in self.state.trie.subtree(node) if page.host_only]
            self.host.log.append((False, below))

    def _left(self, end: Page, pool: Pool) -> bool:
        """Whether an interior node lost this value, or a state that goes with its SWA (7.6)."""
        gone = self.choice.gone
        return end in gone[pool] or (pool is Pool.MAMBA and end in gone[Pool.SWA])

    # -- what is lost ------------------------------------------------------------------------------

    def _losses(self, node: list[Page], pools: Sequence[Pool]) -> Iterator[Breach]:
        """What is lost by leaving the device, though it should have had a host copy (7.4, 8.2)."""
        debt = self._debt(node, pools)
        if debt is not None:
            yield wording.never_backed_up(node, *debt, self.state.config.threshold)
        elif self.state.config.write_back and self._could_be_backed_up(node):
            lost = [pool for pool in pools if node[-1].has(pool) and not node[-1].has(HOST[pool])]
            if self.host is not None and not lost:
                yield from self._not_taken_along(node)
            elif lost and not self._was_refused(node):
                along = lost == [Pool.MAMBA] and pools[0] is Pool.SWA and node[-1].has(Pool.SWA)
                yield wording.not_written_back(node, lost[0].component, along)

    def _not_taken_along(self, node: list[Page]) -> Iterator[Breach]:
        """Nothing is lost, but all that has no host copy should have got one (7.3)."""
        for pool in to_copy(self.state, node):
            yield wording.not_written_back_along(node, pool.component)
            return

    def _was_refused(self, node: list[Page]) -> bool:
        """A copy that was certainly not made has met a refusal, if it is not known whether any is
        pending (17.4).
        """
        refused = self.state.refusing.intersection(to_copy(self.state, node))
        if self.refusals is not None or not refused or self.choice.copied(node[-1]):
            return False
        met_refusal(self.state, refused)
        return True

    def _debt(self, node: list[Page], pools: Sequence[Pool]) -> tuple[Pool, str] | None:
        """The host pool where a copy was due earlier that would have saved what leaves now, and the
        rule that is broken (semantics 8.2).
        """
        for page in node:
            owed = self.owed.get(page, {})
            for host in (HOST[pool] for pool in pools):
                if host in owed and not page.has(host):
                    return host, owed[host]
        return None

    def _could_be_backed_up(self, node: list[Page]) -> bool:
        """The host certainly has room, but for a refusal: no other victim could have used it
        temporarily, and none that was tried after this one and stayed (7.4, 8.3).
        """
        end = node[-1]
        certain = self.state.dialect.room_before_backup and not self._may_be_tried_in_vain()
        if end is self.refused or not (certain or self._was_the_last()):
            return False
        others = (page for pool in DEVICE for page in self.choice.gone[pool] if page is not end)
        return has_host_room(self.state, node) and not any(page.cut for page in others)

    def _may_be_tried_in_vain(self) -> bool:
        """A leaf that a host lock keeps, or one that is none yet, may meet a refusal after room was
        made for its copy, and stay (7.4, 8.3, 17.4).
        """
        ends = [page for page in self.state.trie.recency_in[Pool.FULL] if page.cut]
        kept = (end for end in ends if not may_go(self.state, end, written_back=False))
        pending = self.spoilt if self.refusals is None else bool(self.refusals.pending)
        return pending and any(end.lacks for end in kept)

    def _was_the_last(self) -> bool:
        """The eviction has ended with this victim: it has freed all that was asked (7.1)."""
        done = all(map(operator.ge, self.freed, self.asked))
        return self.choice.sure and self.amount_known and done

    # -- what went beyond --------------------------------------------------------------------------

    def _take_the_rest(self) -> None:
        """Adopt what went although it did not have to, and say why it should have
        stayed (7.1, 7.2).
        """
        last: Witness | None = None
        for pool in DEVICE:
            left = (page for page in self.choice.gone[pool] if page.cut)
            for page in sorted(left, key=lambda page: -page.end):
                if page.has(pool) and _can_go(page, pool):
                    name = spell(page.node())
                    last = Witness(page.key(), pool, held=True)
                    take(self.state, page, pool.component, self)
        told = any(breach.violates is Property.RECENCY for breach in self.breaches)
        if last and not told and not self.spoilt:
            breach = self._why_too_much(name, last)
            if self.amount_known or breach.violates is Property.RECENCY:
                self.breaches.append(breach)

    def _why_too_much(self, name: str, last: Witness) -> Breach:
        """Too many victims; or the right number of them, in the wrong order (7.1, 7.2)."""
        for component in COMPONENTS:
            asked = self.asked[component]
            most = max(victim[component] for victim in self.victims)
            if asked and self.freed[component] - most < asked:
                stayed = self.state.trie.recency_in[DEVICE[component]]
                policy = self.state.config.eviction_policy
                return wording.should_have_waited(
                    name, component, last, self._gone(), stayed, policy
                )
        return wording.freed_too_much(name, last)


def _can_go(page: Page, pool: Pool) -> bool:
    """A leaf, or a node whose SWA or state is not locked (7.2, 7.3)."""
    if is_device_leaf(page):
        return True
    return pool is not Pool.FULL and not page.locked_in(pool)

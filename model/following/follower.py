"""A cache that follows a system: it does what the system did, and says what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from radixproof.model.config import DEVICE, HOST, Component, Pool
from radixproof.model.following import breaches as wording
from radixproof.model.following.backups import FollowedBackups
from radixproof.model.following.choice import Choice, Owed, may_spoil_write_back, met_refusal
from radixproof.model.following.device_eviction import FollowedEviction
from radixproof.model.following.host_eviction import FollowedHostEviction, kept_leaves
from radixproof.model.following.host_room import FollowedHostRoom, HostLog, alone, is_settled
from radixproof.model.following.refusals import Refusals, tried
from radixproof.model.specification.host_eviction import host_candidates
from radixproof.model.specification.inserting import Inserting, finish_insert
from radixproof.model.specification.loading import (
    Loading,
    could_have_room,
    finish_load,
    is_too_short,
    load_shortage,
)
from radixproof.model.specification.locking import lock, lock_both, unlock
from radixproof.model.specification.ordering import first
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Holder, HolderKind, Page
from radixproof.model.verdict import Breach

STATE_COPY = Holder(HolderKind.COPY, "the copy of a state")
"""Locks a prefix while a slot for a copy of its state is found (semantics 3.6)."""


class Evicted(NamedTuple):
    """What an eviction freed, and what was wrong with it."""

    freed: Amounts
    breaches: list[Breach]


class Follower:
    """The operations in which a system had a choice (semantics 4.4, 7, 8, 9.3)."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.owed: Owed = {}
        self.host_log: HostLog = []
        """What had to happen on the host in the last of these operations, in order."""
        self.hidden = False
        """A refusal may have hidden the order in which the last of these took its victims."""
        self.overdue: list[Breach] = []
        """A copy that the last insert had to make, and did not: said if nothing else is wrong."""

    def finish_insert(self, insert: Inserting, choice: Choice) -> list[Breach]:
        """Second half of an insert, with the backups that the system started (4.4, 8.2, 8.3)."""
        backups = FollowedBackups(self.owed, choice, insert.counted)
        finish_insert(self.state, insert, backups.start)
        self.overdue = backups.overdue
        return backups.breaches

    def evict(self, asked: Amounts, choice: Choice, amount_known: bool = True) -> Evicted:
        """A device eviction, with the victims that the system took (semantics 7.1). The amount may
        be unknown (9.3).
        """
        known = choice._replace(sure=True)
        self.hidden = may_spoil_write_back(self.state)
        if self.hidden and is_settled(self.state, known):
            return self._evict_refusing(asked, known, amount_known)
        return self._run(FollowedEviction(self.state, self.owed, asked, choice, amount_known))

    def _evict_refusing(self, asked: Amounts, choice: Choice, amount_known: bool) -> Evicted:
        """The same, where refusals may be pending on the host (semantics 17.4)."""

        def by(refusals: Refusals) -> FollowedEviction:
            return FollowedEviction(
                self.state, self.owed, asked, choice, amount_known, refusals=refusals
            )

        def log_by(refusals: Refusals) -> HostLog | None:
            done = self._run(by(refusals))
            return None if done.breaches else self.host_log

        trial = tried(self.state, choice, log_by)
        done = self._run(by(trial.refusals))
        self.state.refusing -= set(HOST) - trial.pending
        self.hidden = trial.hidden
        self.host_log = [] if trial.hidden else self.host_log
        return done

    def _run(self, eviction: FollowedEviction) -> Evicted:
        """Follow an eviction to its end (semantics 7.1)."""
        eviction.run()
        self.host_log = [] if eviction.host is None else eviction.host.log
        return Evicted(eviction.freed, eviction.breaches)

    def evict_host(self, tokens: int, component: Component, choice: Choice) -> Evicted:
        """A host eviction, with the victims that the system took (semantics 7.9)."""
        freed, breaches = self._evict_host(tokens, component, choice)
        if freed[component] < tokens:
            idle = first(host_candidates(self.state, component))
            if idle is not None:
                breach = wording.host_stopped_early(idle, component, tokens, freed[component])
                breaches.append(breach)
        return Evicted(freed, breaches)

    def _evict_host(self, tokens: int, component: Component, choice: Choice) -> Evicted:
        """The same, but for what should have gone as well (semantics 7.9)."""
        if is_settled(self.state, choice):
            kept = kept_leaves(choice)
            room = FollowedHostRoom(self.state, choice)
            free = self.state.trie.free(HOST[component])
            room.evict(self.state, tokens, component)
            room.finish()
            self.host_log = room.log
            freed = self.state.trie.free(HOST[component]) - free
            return Evicted(alone(component, freed), kept + room.breaches)
        eviction = FollowedHostEviction(self.state, alone(component, tokens), choice)
        eviction.run()
        total = Amounts()
        for victim in eviction.victims:
            total = total.plus(victim)
        return Evicted(total, eviction.breaches)

    def copy_state(self, source: Page, choice: Choice) -> list[Breach]:
        """Make room for a copy of a state while its node is locked (semantics 3.6)."""
        lock(self.state, STATE_COPY, source)
        breaches = self.evict(Amounts(mamba=1), choice).breaches
        unlock(self.state, STATE_COPY)
        return breaches

    # -- loading back ------------------------------------------------------------------------------

    def finish_load(self, loading: Loading, loaded: bool, choice: Choice) -> list[Breach]:
        """Second half of a load-back that went ahead, or was refused (semantics 9.3, 9.4)."""
        breaches: list[Breach] = []
        if loading.refused:
            too_short = is_too_short(loading.full, loading.others, self.state.config)
            breaches.append(wording.load_not_refused(loading.full, too_short, choice))
            lock_both(self.state, loading.holder, loading.best)
        amount_known = self._makes_what_is_short(loading, choice) or (loaded and choice.sure)
        fits = loaded or could_have_room(self.state, loading)
        tries = fits and not loading.refused and self._surely_tries(loading, choice)

        def made_room(state: State, loading: Loading) -> bool:
            """As observed (semantics 9.3)."""
            if loaded or tries or any(choice.gone):
                asked = load_shortage(state, loading) if fits else Amounts()
                evicted = self.evict(asked, choice, amount_known).breaches
                if evicted and not (loaded or any(choice.gone)):
                    evicted = [wording.load_refused(loading.full)]
                breaches.extend(wording.for_a_load(breach, asked) for breach in evicted)
            if tries and not loaded and not any(load_shortage(state, loading)):
                refused = state.refusing.intersection(self.allocates(loading))
                if not refused:
                    breaches.append(wording.load_refused(loading.full))
                met_refusal(state, refused)
            return loaded

        finish_load(self.state, loading, made_room)
        return breaches

    def _makes_what_is_short(self, loading: Loading, choice: Choice) -> bool:
        """Whether it is known how much room is made: what is short, or none (semantics 9.3)."""
        enough = choice.sure and not any(load_shortage(self.state, loading))
        return self.state.dialect.room_before_load or enough

    def _surely_tries(self, loading: Loading, choice: Choice) -> bool:
        """What is short has to be evicted, and if that is enough, it has to go ahead, unless an
        allocation was told to fail (9.3, 17.4).
        """
        if self.state.dialect.room_before_load:
            return not may_spoil_write_back(self.state)
        known = choice.sure and self._makes_what_is_short(loading, choice)
        return known and not any(copy.load for copy in self.state.copies.flying)

    def allocates(self, loading: Loading) -> Sequence[Pool]:
        """Pools from which a load-back may allocate: what it brings something to (9.2, 17.4)."""
        any_pool = not self.state.dialect.room_before_load
        return [pool for pool in DEVICE if any_pool or loading.lists[pool]]

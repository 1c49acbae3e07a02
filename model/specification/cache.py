"""The executable specification of a prefix cache with a device and a host tier.

`Cache` is the specification running alone: where the rules leave a choice, it takes what is first
in order. The chapters have the rules, and the transitions that it is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radixproof.model.config import Component, Pool
from radixproof.model.key import Key
from radixproof.model.specification import (
    backing_up,
    device_eviction,
    host_eviction,
    inserting,
    loading,
    locking,
    matching,
    splitting,
    storage,
)
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.drawing import draw
from radixproof.model.specification.inserting import Inserting
from radixproof.model.specification.loading import Loading
from radixproof.model.specification.matching import MatchEnds
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Holder, Page


class Cache(State):
    """One cache that does what the rules say. Printed, it is the tree that reports show."""

    def __repr__(self) -> str:
        return draw(self)

    # -- looking up and inserting ------------------------------------------------------------------

    def match(self, key: Key) -> MatchEnds:
        """Where a prompt's match ends, on the device and at best (semantics 3)."""
        return matching.match(self, key)

    def split(self, page: Page) -> None:
        """A node ends with ``page`` from now on (semantics 5.1)."""
        splitting.split(self, page)

    def insert(
        self,
        key: Key,
        protected: int,
        evicted: int,
        state: bool = False,
        priority: int = 0,
    ) -> Inserting:
        """First half of an insert: which pages are on the device afterwards (semantics 4)."""
        return inserting.insert(self, key, protected, evicted, state, priority)

    def finish_insert(self, insert: Inserting) -> None:
        """Second half: hits, and the backups that they make due (semantics 4.4)."""
        inserting.finish_insert(self, insert)

    def host_insert(self, key: Key, start: int) -> int:
        """KV fetched from a store is handed over. Returns the tokens taken (semantics 10.3)."""
        return storage.host_insert(self, key, start)

    # -- locks and copies --------------------------------------------------------------------------

    def lock(self, holder: Holder, anchor: Page) -> None:
        """Lock a node on the device (semantics 6.1)."""
        locking.lock(self, holder, anchor)

    def lock_host(self, holder: Holder, anchor: Page) -> None:
        """Lock the host copies of a node (semantics 6.6)."""
        locking.lock_host(self, holder, anchor)

    def unlock(self, holder: Holder) -> None:
        """Undo exactly what the lock did (semantics 6.2)."""
        locking.unlock(self, holder)

    def may_release(self, holder: Holder) -> bool:
        """Whether a lock has a window, or a state, to give back early (semantics 6.4)."""
        return locking.may_release(self, holder)

    def release_window(self, holder: Holder) -> list[Page]:
        """Give those back early. Returns the pages that lost SWA (semantics 6.4)."""
        return locking.release_window(self, holder)

    def check(self, load: bool, blocking: bool) -> list[Copy]:
        """Acknowledge copies that are complete (semantics 8.4, 9.5)."""
        return backing_up.check(self, load, blocking)

    # -- evicting and loading back -----------------------------------------------------------------

    def evict(self, asked: Amounts) -> Amounts:
        """Free device tokens. Returns what was freed (semantics 7.1)."""
        return device_eviction.evict(self, asked, device_eviction.Strict(self))

    def evict_host(self, tokens: int, component: Component) -> int:
        """Free host tokens of one component. Returns what was freed (semantics 7.9)."""
        return host_eviction.evict_host(self, tokens, component)

    def load_back(self, best: Page, quota: int | None) -> Loading:
        """First half of a load-back: what it brings, and whether it is refused (9.2, 9.3)."""
        return loading.load_back(self, best, quota)

    def finish_load(self, load: Loading) -> bool:
        """Second half: whether there was room for it (semantics 9.3, 9.4)."""
        return loading.finish_load(self, load)

    # -- what happens outside of the tree ----------------------------------------------------------

    def refuse(self, pool: Pool) -> None:
        """The next allocation from a pool was told to fail (semantics 17.4)."""
        self.refusing.add(pool)

    def not_refusing(self, pools: Iterable[Pool]) -> None:
        """Allocations from these pools were made: no refusal is waiting there (17.4)."""
        self.refusing.difference_update(pools)

    def allocated(self, pool: Pool, count: int) -> None:
        """A request took slots of a pool; so no refusal is waiting there (13.4, 17.4)."""
        self.trie.rows[pool] += count
        self.refusing.discard(pool)

    def freed(self, pool: Pool, count: int) -> None:
        """A request gave slots of a pool back (semantics 13.4)."""
        self.trie.rows[pool] -= count

    # -- giving in ---------------------------------------------------------------------------------

    def adopt(self, page: Page, resident: Sequence[bool]) -> None:
        """A page is in just these pools, whatever the rules say: it was seen there (1.2, 1.3).

        One that is nowhere is not in the tree, nor are then those above it that are nowhere
        themselves and were kept by it alone.
        """
        for pool in self.config.pools:
            change = self.trie.put if resident[pool] else self.trie.drop
            change(page, pool)
        if any(resident):
            if page.parent is not None:
                page.parent.children.setdefault(page.tokens, page)
            if page not in self.trie.recency:
                self.trie.touch([page])
            return
        while page.parent is not None and _is_nothing(page):
            above = page.parent
            if above.children.get(page.tokens) is page:
                self.trie.remove(page)
            page = above

    def adopt_end(self, page: Page, ends: bool) -> None:
        """A node ends with a page, or goes on after it, whatever the rules say (semantics 5.1)."""
        if ends:
            splitting.split(self, page)
        else:
            page.cut = False


def _is_nothing(page: Page) -> bool:
    """A page that is in no pool, that nobody locks, and that nothing hangs from (1.2)."""
    return not (page.children or any(page.resident_in) or page.locked)

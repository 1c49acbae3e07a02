"""The executable specification of a prefix cache with a device and a host tier.

`Cache` is the specification running alone: where the rules leave a choice, it takes what is first
in order. Its operations are the transitions of the chapters, as methods; they are described there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radixproof.model.config import Pool
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
from radixproof.model.specification.drawing import draw
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Amounts, Page


class Cache(State):
    """One cache that does what the rules say. Printed, it is the tree that reports show."""

    __repr__ = draw

    match = matching.match
    keep = matching.keep
    stands = matching.stands
    split = splitting.split
    insert = inserting.insert
    finish_insert = inserting.finish_insert
    host_insert = storage.host_insert

    lock = locking.lock
    lock_host = locking.lock_host
    unlock = locking.unlock
    may_release = locking.may_release
    release_window = locking.release_window
    release_state = locking.release_state

    load_back = loading.load_back
    finish_load = loading.finish_load
    check = backing_up.check
    evict_host = host_eviction.evict_host

    def evict(self, asked: Amounts) -> Amounts:
        """Free device tokens, strictly. Returns what was freed (semantics 7.1, 7.8)."""
        backing_up.wait_for_backups(self)
        return device_eviction.evict(self, asked, device_eviction.Strict(self))

    # -- what happens outside of the tree ----------------------------------------------------------

    def refuse(self, pool: Pool) -> None:
        """The next allocation from a pool was made to fail (semantics 17.4)."""
        self.refusing.add(pool)
        self.missed.clear()

    def not_refusing(self, pools: Iterable[Pool]) -> None:
        """Allocations from these pools succeeded: no refusal is pending there (17.4)."""
        self.refusing.difference_update(pools)

    def allocated(self, pool: Pool, count: int) -> None:
        """A request took slots of a pool; so no refusal is pending there (13.4, 17.4)."""
        self.trie.rows[pool] += count
        self.refusing.discard(pool)

    def freed(self, pool: Pool, count: int) -> None:
        """A request gave slots of a pool back (semantics 13.4)."""
        self.trie.rows[pool] -= count

    # -- adopting ----------------------------------------------------------------------------------

    def adopt(self, page: Page, resident: Sequence[bool]) -> None:
        """A page is in exactly these pools, whatever the rules say: it was seen there (1.2, 1.3).

        A page that is in no pool leaves the tree, as do those above it that are in no pool either
        and were kept by it alone.
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
        """A node ends with a page, or goes on after it, whatever the rules say; where the prefixes
        part, it ends in any case (semantics 5.1).
        """
        if ends:
            splitting.split(self, page)
        else:
            page.cut = len(page.children) != 1


def _is_nothing(page: Page) -> bool:
    """A page that is in no pool, that nobody locks, and that nothing hangs from (1.2)."""
    return not (page.children or any(page.resident_in) or page.locked)

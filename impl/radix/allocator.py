"""Paged slot allocation for one pool."""

from __future__ import annotations

import numpy as np

from radixproof.impl.radix.pools import Slots


class SlotError(ValueError):
    """Slots that cannot be given back: freed already, never allocated, foreign to the pool, or not whole pages."""


class PageAllocator:
    """Hands out whole pages of slots and takes them back; page p owns the slots p * page_size ... (p + 1) * page_size - 1.

    Pages are numbered from 1. The page freed last is handed out first: its memory is warmest, and a stale reference to it shows at
    once. The order depends on nothing but the calls made.
    """

    def __init__(self, pages: int, page_size: int) -> None:
        self.pages = pages
        self.page_size = page_size
        self._within = np.arange(page_size, dtype=np.int64)
        self.clear()

    def clear(self) -> None:
        """Take every page back, whoever holds it."""
        self._free = list(range(self.pages, 0, -1))
        self._taken = bytearray(self.pages + 1)

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return len(self._free) * self.page_size

    def alloc(self, tokens: int) -> Slots | None:
        """Slots for ``tokens`` tokens, a multiple of the page size; None, and no change, if there are not enough."""
        count, rest = divmod(tokens, self.page_size)
        if rest or tokens < 0:
            raise ValueError(f"cannot allocate {tokens} tokens: pages of {self.page_size} are allocated whole")
        if count > len(self._free):
            return None
        keep = len(self._free) - count
        taken = self._free[keep:][::-1]
        del self._free[keep:]
        for page in taken:
            self._taken[page] = 1
        return self._slots_of(taken)

    def free(self, slots: Slots) -> None:
        """Take back whole pages. Raises `SlotError`, and changes nothing, unless each of them is out and is given back once."""
        pages = self._pages_of(slots)
        for position, page in enumerate(pages):
            if not 0 < page <= self.pages or not self._taken[page]:
                for undone in pages[:position]:
                    self._taken[undone] = 1
                what = "was not allocated (double free?)" if 0 < page <= self.pages else "is not of this pool"
                raise SlotError(f"page {page} (slots from {page * self.page_size}) {what}")
            self._taken[page] = 0
        self._free.extend(reversed(pages))

    def free_slots(self) -> Slots:
        """All free slots, next to be handed out first."""
        return self._slots_of(self._free[::-1])

    def _slots_of(self, pages: list[int]) -> Slots:
        first = np.array(pages, dtype=np.int64)
        if self.page_size == 1:
            return first
        slots: Slots = np.add.outer(first * self.page_size, self._within).ravel()
        return slots

    def _pages_of(self, slots: Slots) -> list[int]:
        size = self.page_size
        if size == 1:
            pages: list[int] = slots.tolist()
            return pages
        starts = slots[::size]
        whole = len(slots) == len(starts) * size and not (starts % size).any()
        if not whole or not np.array_equal(slots, np.add.outer(starts, self._within).ravel()):
            raise SlotError(f"slots {slots.tolist()} are not whole pages of {size}")
        pages = (starts // size).tolist()
        return pages

"""Paged slot allocation for one pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from radixproof.impl.radix.pools import Slots

K = TypeVar("K")


class SlotError(ValueError):
    """Slots that cannot be given back.

    They are free already, were never allocated, are not of this pool, or are no whole pages.
    """


class PageAllocator:
    """Hands out whole pages of slots and takes them back.

    Page p, from 1 on, owns the slots p * page_size ... (p + 1) * page_size - 1. The page freed last
    is handed out first: its memory is warmest, and a stale reference to it shows at once. The order
    depends on nothing but the calls made.
    """

    def __init__(self, pages: int, page_size: int) -> None:
        self.pages = pages
        self.page_size = page_size
        self._slots = np.arange((pages + 1) * page_size, dtype=np.int64).reshape(
            pages + 1, page_size
        )
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
        """Slots for ``tokens`` tokens, a multiple of the page size.

        None, and no change, if there are not enough.
        """
        count, rest = divmod(tokens, self.page_size)
        if rest or tokens < 0:
            raise ValueError(
                f"cannot allocate {tokens} tokens: pages of {self.page_size} are allocated whole"
            )
        if count > len(self._free):
            return None
        keep = len(self._free) - count
        pages = self._free[keep:][::-1]
        del self._free[keep:]
        for page in pages:
            self._taken[page] = 1
        return self._slots[pages].ravel()

    def free(self, slots: Slots) -> None:
        """Take back whole pages.

        Raises `SlotError`, and changes nothing, unless each of them is out and is given back once.
        """
        pages: list[int] = (slots[:: self.page_size] // self.page_size).tolist()
        for page in pages:
            if not 0 < page <= self.pages:
                raise SlotError(
                    f"page {page} of slots {slots.tolist()} is not of this pool, "
                    f"which has pages 1 to {self.pages}"
                )
            if not self._taken[page]:
                raise SlotError(f"page {page} of slots {slots.tolist()} is free already")
        if self._slots[pages].tobytes() != slots.tobytes():
            raise SlotError(f"slots {slots.tolist()} are not whole pages of {self.page_size}")
        if len(set(pages)) < len(pages):
            raise SlotError(f"slots {slots.tolist()} name a page twice")
        for page in pages:
            self._taken[page] = 0
        self._free.extend(reversed(pages))

    def free_slots(self) -> Slots:
        """All free slots, next to be handed out first."""
        return self._slots[self._free[::-1]].ravel()


def alloc_each(
    allocators: Mapping[K, PageAllocator], need: Mapping[K, int]
) -> dict[K, Slots] | None:
    """Slots from several allocators, so many tokens of each.

    None, and no change, if one of them has too few.
    """
    taken: dict[K, Slots] = {}
    for key, tokens in need.items():
        slots = allocators[key].alloc(tokens)
        if slots is None:
            for other, others in taken.items():
                allocators[other].free(others)
            return None
        taken[key] = slots
    return taken

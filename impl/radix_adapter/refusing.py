"""Allocators that can be told to fail, so that a history decides when there is no room."""

from __future__ import annotations

from radixproof.impl.radix.allocator import PageAllocator
from radixproof.impl.radix.pools import Slots


class RefusingAllocator(PageAllocator):
    """Refuses one allocation when it is told to."""

    def clear(self) -> None:
        """Take every page back, whoever holds it, and forget a refusal."""
        super().clear()
        self._refusing = False

    def refuse(self) -> None:
        """Let the next allocation of at least one page fail, whatever is free."""
        self._refusing = True

    @property
    def refusing(self) -> bool:
        """Whether the next allocation of at least one page is to fail."""
        return self._refusing

    def alloc(self, tokens: int) -> Slots | None:
        """As of any allocator, but None when it is to refuse."""
        if self._refusing and tokens >= self.page_size and tokens % self.page_size == 0:
            self._refusing = False
            return None
        return super().alloc(tokens)

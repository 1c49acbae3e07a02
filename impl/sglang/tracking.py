"""At which lengths SGLang tracks the states of its requests, to hand them to the tree later.

While a prompt is computed that is at most once for each of its parts; afterwards at every so many
tokens. SGLang asserts that all of these are whole pages.
"""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """What of a request is computed at once. Lengths are in tokens."""

    begin: int
    end: int
    prompt: int
    """What is beyond was generated."""
    page: int
    every: int
    """Whole pages: SGLang's checkpoint grid, and here its interval as well."""
    branch: int | None
    """Where a match found FULL to go on without a state, as SGLang has it."""

    def in_prompt(self) -> int | None:
        """As `ScheduleBatch` prepares a part of a prompt: counted from where the part begins, which
        it lets be a whole page. A branch point within it comes first.
        """
        begin, end = self._floor(self.begin), self._floor(min(self.end, self.prompt))
        reached = begin + (end - begin) // self.every * self.every
        if reached <= begin:
            return None
        branch = self.branch
        if branch is None or not begin < branch < reached or (branch - begin) % self.every:
            return reached
        return branch

    def generated(self) -> range:
        """As it does while a request decodes, token by token."""
        begin = max(self.begin, self.prompt)
        return range((begin // self.every + 1) * self.every, self.end + 1, self.every)

    def _floor(self, tokens: int) -> int:
        return tokens - tokens % self.page

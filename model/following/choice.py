"""What a system chose, and the outcome of judging it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from radixproof.model.config import HOST, Pool
from radixproof.model.specification.backing_up import written_back_to
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page

Owed: TypeAlias = dict[Page, dict[Pool, str]]
"""Host copies that were not made although they were due, and there was room: by page and host pool,
the rule that is broken if the page is lost for want of it (semantics 8.2).
"""


class Choice(NamedTuple):
    """Where rules leave a choice: per `Pool`, the pages that left in a step, and that arrived."""

    gone: Sequence[Mapping[Page, None]]
    gained: Sequence[Mapping[Page, None]]
    sure: bool = True
    """No allocation that was made meanwhile may have been told to fail."""
    ordered: bool = True
    """The order is known in which SWA and states came to be on the host only."""
    waited: Collection[Page] = ()
    """Pages that backups kept on the device until the eviction waited for these (7.8)."""

    def made_host_room(self) -> bool:
        """Whether anything left the host (semantics 8.3)."""
        return any(self.gone[pool] for pool in HOST)

    def copied(self, page: Page) -> bool:
        """Whether a page got any host copy (semantics 8.3)."""
        return any(page in self.gained[pool] for pool in HOST)


def may_spoil_write_back(state: State) -> bool:
    """A refused host allocation makes a write-back fail, and its victim keeps its place: who came
    first is hidden then (semantics 7.4, 17.4).
    """
    return state.config.write_back and not state.refusing.isdisjoint(written_back_to(state))


def met_refusal(state: State, refused: set[Pool]) -> None:
    """What had room did not happen: an allocation from one of these pools was told to fail, and
    did. With as many of these as there are pools, all that is over (semantics 17.4).
    """
    state.missed.append(refused)
    if state.missed.count(refused) >= len(refused):
        state.refusing -= refused

"""The order in which the host is spoken of: first what was acknowledged, then what the last step
had to do there, one thing after the other (semantics 7.9, 8.4, 14.10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from radixproof.model.config import Pool
from radixproof.model.following.host_room import HostLog
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Breach, Property

FIRST = -(2**62)
"""The turn of what was acknowledged first: before all that has another."""


class Turns:
    """Prefixes that get to the host, or leave it, with the turns in which they have to.

    What is said of others is not judged here.
    """

    def __init__(self) -> None:
        self.acked: list[Copy] = []
        """Backups that were acknowledged since events were taken in last, in order."""
        self._due: dict[tuple[bool, int], list[int]] = {}
        self._latest = FIRST
        self._all_known = False
        """Nothing happened on the host but what is due."""
        self._left_device: set[int] = set()
        self.supplemented: set[int] = set()
        """Prefixes of which a backup that was acknowledged since has copied other than FULL: as a
        supplement does, or a window that reaches beyond its node (semantics 4.4, 8.3).
        """

    def start(self, log: HostLog, prefix_of: Callable[[Page], int]) -> None:
        """Events are taken in, the last of them from a step with this ``log``."""
        self._due, self._latest = {}, FIRST
        self.supplemented.clear()
        for copy in self.acked:
            pages = copy.targets.get(Pool.FULL_HOST, ())
            self._expect(True, pages, FIRST + copy.batch, prefix_of)
            copied = [*copy.node, *chain.from_iterable(copy.targets.values())]
            self.supplemented.update(prefix_of(page) for page in copied if page not in pages)
        for turn, (stored, pages) in enumerate(log):
            self._expect(stored, pages, turn, prefix_of)
        self.acked.clear()
        self._all_known = bool(log)
        self._left_device.clear()

    def _expect(
        self, stored: bool, pages: Sequence[Page], turn: int, prefix_of: Callable[[Page], int]
    ) -> None:
        for page in pages:
            self._due.setdefault((stored, prefix_of(page)), []).append(turn)

    def take(self, stored: bool, prefix: int) -> Iterator[Breach]:
        """A prefix is said to be stored on the host, or removed there."""
        turns = self._due.get((stored, prefix))
        if not turns:
            if self._all_known:
                text = "something is said to become of a page on the host, where nothing was due"
                yield Breach(Property.EVENT, "host-unasked", text)
            return
        turn = turns.pop(0)
        if stored and turn >= 0 and prefix in self._left_device:
            text = "a page is said to be on the host only after it has left the device"
            yield Breach(Property.EVENT, "demoted-first", text)
        if turn < self._latest < 0:
            text = "a backup is announced after one that was acknowledged later"
            yield Breach(Property.EVENT, "acks-out-of-order", text)
        elif turn < self._latest:
            text = (
                "what became of a page on the host is announced after what came later: it is said "
                "out of order, or it went in another order than the configured one"
            )
            yield Breach(Property.EVENT, "host-out-of-order", text)
        self._latest = max(self._latest, turn)

    def left_device(self, prefix: int) -> None:
        """A prefix is said to have left the device."""
        self._left_device.add(prefix)

    def left(self) -> Iterator[Breach]:
        """What the last step had to do on the host, and of which nothing was said: it shows
        nowhere else if it was undone in the same step.
        """
        if any(turn >= 0 for turns in self._due.values() for turn in turns):
            text = "what became of a page on the host was not announced, or did not come to pass"
            yield Breach(Property.EVENT, "host-unsaid", text)

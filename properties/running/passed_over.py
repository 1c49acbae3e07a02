"""Signatures that a search passes over, with a count of how often it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator


class PassedOver(Collection[str]):
    """A set of signatures that counts: each time that a breach is asked for and is in it, it has
    been met once more.
    """

    def __init__(self, signatures: Iterable[str]) -> None:
        self._signatures = frozenset(signatures)
        self.met: Counter[str] = Counter()

    def __contains__(self, signature: object) -> bool:
        if signature not in self._signatures:
            return False
        self.met[str(signature)] += 1
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._signatures)

    def __len__(self) -> int:
        return len(self._signatures)

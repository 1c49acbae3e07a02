"""An order of use: a doubly linked list whose every operation takes constant time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class RecencyList(Generic[T]):
    """Members from the oldest, the next to be evicted, to the newest."""

    def __init__(self) -> None:
        # None stands before the oldest and after the newest member: both ends are links like any
        # other.
        self._newer: dict[T | None, T | None] = {None: None}
        self._older: dict[T | None, T | None] = {None: None}

    def __contains__(self, member: T) -> bool:
        return member in self._newer

    def __len__(self) -> int:
        return len(self._newer) - 1

    def __iter__(self) -> Iterator[T]:
        """Oldest first. The member just visited may be removed meanwhile, no other."""
        member = self._newer[None]
        while member is not None:
            following = self._newer[member]
            yield member
            member = following

    def renew(self, member: T) -> None:
        """Make ``member`` the newest, whether it is a member yet or not."""
        if member in self._newer:
            self.discard(member)
        self._link(self._older[None], member, None)

    def add_older(self, member: T, than: T) -> None:
        """Add ``member`` right next to ``than``, on the older side."""
        self._link(self._older[than], member, than)

    def discard(self, member: T) -> None:
        if member in self._newer:
            older, newer = self._older.pop(member), self._newer.pop(member)
            self._newer[older], self._older[newer] = newer, older

    def _link(self, older: T | None, member: T, newer: T | None) -> None:
        self._older[member], self._newer[member] = older, newer
        self._newer[older] = self._older[newer] = member

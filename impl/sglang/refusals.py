"""Allocations that are told to fail: the next one from a pool, whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixproof.model.config import Pool


class Refusals:
    """Stands in front of the allocations of one cache."""

    def __init__(self) -> None:
        self._pending: set[Pool] = set()

    def refuse(self, pool: Pool) -> None:
        self._pending.add(pool)

    def forget(self) -> None:
        """Everything is new: nothing is refused any more."""
        self._pending.clear()

    def guard(self, owners: Mapping[Pool, Any]) -> None:
        """Allocate from these only what is not refused.

        SGLang keeps the methods of some, so this must be done before they are passed on.
        """
        for pool, owner in owners.items():
            owner.alloc = self._guarded(pool, owner.alloc)

    def _guarded(self, pool: Pool, alloc: Any) -> Any:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if pool in self._pending:
                self._pending.discard(pool)
                return None
            return alloc(*args, **kwargs)

        return guarded

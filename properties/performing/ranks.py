"""Several ranks: replicas of one cache that run the same history, each with copies that complete at
times of their own.

What a scheduler sees of them must be the same everywhere: they agree to acknowledge the minimum
number of copies completed on any rank.
"""

from __future__ import annotations

from radixproof.impl.replicas import Replicas


class Ranks(Replicas):
    """Replicas whose copies are run one rank at a time."""

    def called(self, number: int) -> str:
        return f"rank {number}"

    def copied(self, load: bool) -> int:
        return min(system.copied(load) for system in self.systems)

    def writing_check(self, blocking: bool, limit: int | None = None) -> int:
        return super().writing_check(blocking, None if blocking else self.copied(load=False))

    def loading_check(self, blocking: bool, limit: int | None = None) -> int:
        return super().loading_check(blocking, None if blocking else self.copied(load=True))

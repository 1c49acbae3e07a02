"""Eight bugs in the toy cache, to be checked one at a time: ``radixproof check toy_bugs:split``."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import radixproof as rp
from toy_adapter import Adapter, target
from toy_cache import Node, ToyCache


class SplitForgetsLocks(ToyCache):
    """The upper part of a node that is split while it is locked can be evicted."""

    def split(self, lower: Node, at: int) -> Node:
        upper = super().split(lower, at)
        upper.locks = 0
        return upper


class LockIsTooShort(ToyCache):
    """A lock covers the last node of a prefix, and none of those above it."""

    def lock(self, node: Node) -> Node:
        if node.locks == 0:
            self.evictable -= len(node.tokens)
            self.protected += len(node.tokens)
        node.locks += 1
        return node


class EvictGoesOn(ToyCache):
    """Eviction frees one token more than it was asked for."""

    def evict(self, tokens: int) -> int:
        return super().evict(tokens + 1)


class SizeIsNotReduced(ToyCache):
    """What was evicted still counts as evictable."""

    def remove(self, leaf: Node) -> int:
        freed = super().remove(leaf)
        self.evictable += freed
        return freed


class MatchLeavesOutTheEnd(ToyCache):
    """A match never returns the whole prompt, as if its last token had to be computed always."""

    def match(self, tokens: Sequence[int]) -> tuple[Node, list[int]]:
        return super().match(tokens[:-1])


class DuplicatesAreLost(ToyCache):
    """An insert of what is here already neither keeps nor frees the slots that it is given."""

    def drop(self, duplicates: Sequence[int]) -> None:
        pass


class MatchDoesNotRenew(ToyCache):
    """A prompt that is only looked up is as old as it was before."""

    def match(self, tokens: Sequence[int]) -> tuple[Node, list[int]]:
        node = self.walk(tokens)
        return node, [slot for one in node.path() for slot in one.slots]


class ResetKeepsSlots(ToyCache):
    """A reset empties the tree, and forgets to give the slots of its nodes back."""

    def reset(self) -> None:
        free = getattr(self, "free", list(self.slots))
        super().reset()
        self.free = free


def with_bug(name: str, kind: type[ToyCache]) -> rp.Target:
    return replace(target, name=name, build=partial(Adapter, kind=kind))


split = with_bug("split", SplitForgetsLocks)
lock = with_bug("lock", LockIsTooShort)
evict = with_bug("evict", EvictGoesOn)
size = with_bug("size", SizeIsNotReduced)
match = with_bug("match", MatchLeavesOutTheEnd)
ownership = with_bug("ownership", DuplicatesAreLost)
recency = with_bug("recency", MatchDoesNotRenew)
reset = with_bug("reset", ResetKeepsSlots)

"""A small radix cache in pure Python, and its adapter, written against the public surface alone.

It has one tier, full attention, and LRU. ``broken`` is the same with a bug: a split forgets that
somebody holds a lock on the node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from radixproof import (
    NODES_ONLY,
    Component,
    Config,
    Dialect,
    Evict,
    EvictionPolicy,
    Insert,
    Insertion,
    Key,
    Lock,
    Lookup,
    Match,
    NodeView,
    Observation,
    Pool,
    Scope,
    Target,
    Unlock,
    Whole,
)


@dataclass(eq=False)
class Node:
    """A run of pages that hangs under ``parent``."""

    id: int
    tokens: tuple[int, ...]
    slots: list[int]
    parent: Node | None
    children: dict[tuple[int, ...], Node] = field(default_factory=dict)
    locks: int = 0
    used: int = 0


class ToyCache:
    """The cache itself: it knows nothing of radixproof."""

    def __init__(self, page_size: int, pages: int) -> None:
        self.page_size = page_size
        self.free = list(range(page_size, page_size * (pages + 1)))
        self.ids, self.clock = count(1), count(1)
        self.root = Node(0, (), [], None)

    def walk(self, tokens: tuple[int, ...]) -> tuple[Node, list[int]]:
        """The node in which the longest cached prefix ends, split there if need be; its slots."""
        node, slots = self.root, list[int]()
        tokens = tokens[: len(tokens) - len(tokens) % self.page_size]
        while child := node.children.get(tokens[: self.page_size]):
            shared = self.shared(child.tokens, tokens)
            if shared < len(child.tokens):
                child = self.split(child, shared)
            node, tokens = child, tokens[shared:]
            slots += node.slots
        return node, slots

    def shared(self, ours: tuple[int, ...], theirs: tuple[int, ...]) -> int:
        length = 0
        for mine, other in zip(ours, theirs, strict=False):
            if mine != other:
                break
            length += 1
        return length - length % self.page_size

    def split(self, node: Node, length: int) -> Node:
        """Cut a node in two; returns the upper half, which inherits what holds for the whole."""
        parent, page = node.parent, self.page_size
        assert parent is not None
        upper = Node(next(self.ids), node.tokens[:length], node.slots[:length], parent)
        upper.locks, upper.used = self.inherited(node), node.used
        node.tokens, node.slots, node.parent = node.tokens[length:], node.slots[length:], upper
        parent.children[upper.tokens[:page]] = upper
        upper.children[node.tokens[:page]] = node
        return upper

    def inherited(self, node: Node) -> int:
        return node.locks

    def touch(self, node: Node) -> None:
        """The path down to a node has been used: its end is the newest."""
        path = [node, *ancestors(node)]
        for one in reversed(path):
            one.used = next(self.clock)
        for one, used in zip(path, sorted((one.used for one in path), reverse=True), strict=True):
            one.used = used

    def insert(self, tokens: tuple[int, ...], slots: Sequence[int], protected: int) -> int:
        """Take over slots; those of a prefix that is here already are freed."""
        whole = len(tokens) - len(tokens) % self.page_size
        node, found = self.walk(tokens)
        self.free += slots[protected : len(found)]
        if len(found) < whole:
            rest = tokens[len(found) : whole]
            leaf = Node(next(self.ids), rest, list(slots[len(found) : whole]), node)
            node.children[rest[: self.page_size]] = leaf
            node = leaf
        self.touch(node)
        return len(found)

    def evict(self, tokens: int) -> int:
        """Free the least recently used leaves until so many tokens are free."""
        freed = 0
        while freed < tokens and (leaves := [node for node in self.nodes() if evictable(node)]):
            node = min(leaves, key=lambda leaf: leaf.used)
            assert node.parent is not None
            del node.parent.children[node.tokens[: self.page_size]]
            self.free += node.slots
            freed += len(node.slots)
        return freed

    def nodes(self) -> Iterator[Node]:
        """Parents before children."""
        todo = list(self.root.children.values())
        while todo:
            node = todo.pop()
            yield node
            todo += node.children.values()


class ForgetfulCache(ToyCache):
    """The bug: the upper half of a split is not locked."""

    def inherited(self, node: Node) -> int:
        return 0


def ancestors(node: Node) -> Iterator[Node]:
    while node.parent is not None and node.parent.parent is not None:
        node = node.parent
        yield node


def evictable(node: Node) -> bool:
    return not node.children and not node.locks


class Adapter:
    """The cache as radixproof drives it."""

    def __init__(self, cache: ToyCache) -> None:
        self.cache = cache
        self.content: dict[int, int] = {}

    def match(self, key: Key) -> Lookup:
        node, slots = self.cache.walk(key.tokens)
        self.cache.touch(node)
        return Lookup(len(slots), len(slots), slots, node, node)

    def allocate(self, tokens: int) -> list[int] | None:
        free = self.cache.free
        if tokens > len(free):
            return None
        slots, self.cache.free = sorted(free)[:tokens], sorted(free)[tokens:]
        return slots

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self.content.update(zip(slots, tags, strict=True))

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        return [self.content.get(slot, -1) for slot in slots]

    def free(self, slots: Sequence[int]) -> None:
        self.cache.free += slots

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
    ) -> Insertion:
        return Insertion(self.cache.insert(key.tokens, slots, protected))

    def lock(self, anchor: Node) -> list[Node]:
        return self._lock(anchor, 1)

    def unlock(self, receipt: list[Node]) -> None:
        self._lock(receipt[0], -1)

    def _lock(self, node: Node, by: int) -> list[Node]:
        if node.parent is not None:
            for one in (node, *ancestors(node)):
                one.locks += by
        return [node]

    def evict(self, full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        return self.cache.evict(full), 0, 0

    def observe(self, whole: bool) -> Observation:
        views = []
        for node in self.cache.nodes():
            assert node.parent is not None
            slots = (tuple(node.slots), None, None, None, None, None)
            views.append(NodeView(node.id, node.parent.id, "", node.tokens, slots))
        free = (len(self.cache.free), 0, 0, 0, 0, 0)
        return Observation(tuple(views), free=free, whole=Whole())


SCOPE = Scope(
    components=(Component.FULL,),
    eviction_policies=(EvictionPolicy.LRU,),
    operations=(Match, Insert, Lock, Unlock, Evict),
    hosted=False,
    bigram=False,
    namespaces=False,
    ranks=False,
)
SIGHT = replace(NODES_ONLY, slots=(Pool.FULL,), free_counts=(Pool.FULL,))


def build(config: Config) -> Adapter:
    return Adapter(ToyCache(config.page_size, config.device_pages))


def build_broken(config: Config) -> Adapter:
    return Adapter(ForgetfulCache(config.page_size, config.device_pages))


target = Target("toy", "a toy radix cache", Dialect(), build, SCOPE, SIGHT)


def broken() -> Target:
    return replace(target, name="broken toy", build=build_broken)

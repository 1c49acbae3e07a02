"""A radix cache as small as they come: one tier, full attention, least recently used goes first.

It stands for a cache of your own, and knows nothing of radixproof.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count


@dataclass(eq=False)
class Node:
    """A run of tokens, whole pages of them, that continues the prefix of its parent."""

    id: int
    parent: Node | None = None
    tokens: tuple[int, ...] = ()
    slots: list[int] = field(default_factory=list)
    """Where the KV of each token is."""
    children: dict[tuple[int, ...], Node] = field(default_factory=dict)
    """By their first page."""
    locks: int = 0
    used: int = 0

    def path(self) -> list[Node]:
        """The nodes from just below the root down to this one."""
        return [] if self.parent is None else [*self.parent.path(), self]


class ToyCache:
    """Prompts, and the slots that hold their KV."""

    def __init__(self, page_size: int, pages: int) -> None:
        self.page_size = page_size
        self.slots = range(page_size * pages)
        self.ids, self.clock = count(1), count(1)
        self.reset()

    def reset(self) -> None:
        """Forget everything: all slots are free again."""
        self.root = Node(0)
        self.free = list(self.slots)
        self.evictable = self.protected = 0

    # -- slots -------------------------------------------------------------------------------------

    def allocate(self, tokens: int) -> list[int] | None:
        """Slots for so many tokens, whole pages of them; None if there are not enough."""
        if tokens > len(self.free):
            return None
        taken, self.free = self.free[:tokens], self.free[tokens:]
        return taken

    def release(self, slots: Sequence[int]) -> None:
        """Take slots back."""
        self.free.extend(slots)

    # -- what an engine calls ----------------------------------------------------------------------

    def match(self, tokens: Sequence[int]) -> tuple[Node, list[int]]:
        """The node that ends the longest cached prefix, split there if need be, and its slots."""
        node = self.walk(tokens)
        self.touch(node)
        return node, [slot for one in node.path() for slot in one.slots]

    def insert(self, tokens: Sequence[int], slots: Sequence[int], owned: int) -> int:
        """Take over the slots of a computed prompt; returns how much of it was here before.

        The first ``owned`` slots are those of this cache already. Other slots of what was here
        before are not needed, and freed.
        """
        node = self.walk(tokens)
        known = sum(len(one.tokens) for one in node.path())
        self.drop(slots[owned:known])
        end = self.whole_pages(len(tokens))
        if known < end:
            node = self.hang(node, tuple(tokens[known:end]), list(slots[known:end]))
            self.evictable += end - known
        self.touch(node)
        return known

    def lock(self, node: Node) -> Node:
        """A request uses this prefix: nothing of it may be evicted. Returns what to unlock."""
        for one in node.path():
            if one.locks == 0:
                self.evictable -= len(one.tokens)
                self.protected += len(one.tokens)
            one.locks += 1
        return node

    def unlock(self, node: Node) -> None:
        """Undo one `lock` of this node."""
        for one in node.path():
            one.locks -= 1
            if one.locks == 0:
                self.evictable += len(one.tokens)
                self.protected -= len(one.tokens)

    def evict(self, tokens: int) -> int:
        """Free at least so many tokens, if they are evictable: whole leaves, the oldest first."""
        freed = 0
        while freed < tokens and (leaves := [node for node in self.nodes() if self.is_free(node)]):
            freed += self.remove(min(leaves, key=lambda leaf: leaf.used))
        return freed

    # -- the tree ----------------------------------------------------------------------------------

    def walk(self, tokens: Sequence[int]) -> Node:
        """The node that ends the longest cached prefix; one in which it ends is split there."""
        node, rest = self.root, tuple(tokens)
        while child := node.children.get(rest[: self.page_size]):
            shared = self.shared(child.tokens, rest)
            if shared < len(child.tokens):
                return self.split(child, shared)
            node, rest = child, rest[shared:]
        return node

    def shared(self, ours: Sequence[int], theirs: Sequence[int]) -> int:
        """How many tokens two runs have in common at their beginning, in whole pages."""
        pairs = enumerate(zip(ours, theirs, strict=False))
        shorter = min(len(ours), len(theirs))
        return self.whole_pages(next((at for at, (a, b) in pairs if a != b), shorter))

    def whole_pages(self, tokens: int) -> int:
        return tokens - tokens % self.page_size

    def split(self, lower: Node, at: int) -> Node:
        """Cut a node in two; returns the new upper part."""
        assert lower.parent is not None
        upper = self.hang(lower.parent, lower.tokens[:at], lower.slots[:at])
        upper.locks, upper.used = lower.locks, lower.used
        lower.parent, lower.tokens, lower.slots = upper, lower.tokens[at:], lower.slots[at:]
        upper.children[lower.tokens[: self.page_size]] = lower
        return upper

    def hang(self, parent: Node, tokens: tuple[int, ...], slots: list[int]) -> Node:
        """A new node below ``parent``."""
        node = Node(next(self.ids), parent, tokens, slots)
        parent.children[tokens[: self.page_size]] = node
        return node

    def remove(self, leaf: Node) -> int:
        """Take a leaf out of the tree; returns how many tokens that freed."""
        assert leaf.parent is not None
        del leaf.parent.children[leaf.tokens[: self.page_size]]
        self.release(leaf.slots)
        self.evictable -= len(leaf.slots)
        return len(leaf.slots)

    def drop(self, duplicates: Sequence[int]) -> None:
        """Free slots whose content the tree has already."""
        self.release(duplicates)

    def touch(self, node: Node) -> None:
        """A path is in use: it is the most recently used now, its end the newest."""
        for one in node.path():
            one.used = next(self.clock)

    def is_free(self, node: Node) -> bool:
        """Whether eviction may take a node."""
        return not node.children and not node.locks

    def nodes(self) -> Iterator[Node]:
        """All nodes but the root, parents before children."""
        queue = list(self.root.children.values())
        for node in queue:
            queue.extend(node.children.values())
        return iter(queue)

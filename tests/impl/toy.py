"""A cache as small as they come: pure Python, one tier, pages of one token, FULL alone, LRU; and a
system of it.

It shows what a system needs that has none of the optional parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from radixproof.impl.observation import NodeView, Observation, PerComponent, Whole
from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Evict,
    Finish,
    Insert,
    Lock,
    Match,
    Prefill,
    Unlock,
)
from radixproof.impl.scope import Scope
from radixproof.impl.sight import NODES_ONLY
from radixproof.impl.system import Insertion, Lookup, Target
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key

SCOPE = Scope(
    components=(Component.FULL,),
    page_sizes=(1,),
    eviction_policies=(EvictionPolicy.LRU,),
    operations=(Match, Insert, Lock, Unlock, Evict, Arrive, Prefill, Decode, Finish, Abort),
    hosted=False,
    bigram=False,
    namespaces=False,
    ranks=False,
)
SIGHT = replace(
    NODES_ONLY,
    slots=(Pool.FULL,),
    locks=(Component.FULL,),
    sizes=True,
    free_counts=(Pool.FULL,),
    free_lists=(Pool.FULL,),
)


@dataclass(eq=False)
class Node:
    """Tokens below a parent, a slot for each."""

    id: int
    parent: Node | None = None
    tokens: tuple[int, ...] = ()
    slots: list[int] = field(default_factory=list)
    children: dict[int, Node] = field(default_factory=dict)
    locks: int = 0
    used: int = 0

    def path(self) -> list[Node]:
        """From below the root down to this node."""
        return [] if self.parent is None else [*self.parent.path(), self]


class Toy:
    """Implements `radixproof.impl.system.System`."""

    def __init__(self, config: Config) -> None:
        self.root = Node(0)
        self.unused = list(range(config.slots(Pool.FULL)))
        self.content: dict[int, int] = {}
        self.made = self.clock = 0

    def match(self, key: Key) -> Lookup:
        node = self.walk(key.tokens)
        self.touch(node)
        slots = [slot for one in node.path() for slot in one.slots]
        return Lookup(len(slots), len(slots), slots, node, node)

    def allocate(self, tokens: int) -> list[int] | None:
        if len(self.unused) < tokens:
            return None
        taken, self.unused = self.unused[:tokens], self.unused[tokens:]
        return taken

    def available(self, pool: Pool) -> int:
        return len(self.unused) if pool is Pool.FULL else 0

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        self.content.update(zip(slots, tags, strict=True))

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        return [self.content.get(slot, -1) for slot in slots]

    def free(self, slots: Sequence[int]) -> None:
        self.unused += slots

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
    ) -> Insertion:
        node = self.walk(key.tokens)
        known = sum(len(one.tokens) for one in node.path())
        self.free(slots[protected:known])
        if known < len(key.tokens):
            node = self.add(node, key.tokens[known:], list(slots[known:]))
        self.touch(node)
        return Insertion(known)

    def lock(self, anchor: Node) -> Node:
        for node in anchor.path():
            node.locks += 1
        return anchor

    def unlock(self, receipt: Node) -> None:
        for node in receipt.path():
            node.locks -= 1

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        freed = 0
        while freed < full and (victims := self.victims()):
            victim = min(victims, key=lambda node: node.used)
            assert victim.parent is not None
            del victim.parent.children[victim.tokens[0]]
            self.free(victim.slots)
            freed += len(victim.slots)
        return freed, 0, 0

    def observe(self, whole: bool) -> Observation:
        nodes = list(self.nodes())
        locked = sum(len(node.slots) for node in nodes if node.locks)
        unlocked = sum(len(node.slots) for node in nodes) - locked
        return Observation(
            tuple(map(_view, nodes)),
            free=(len(self.unused), 0, 0, 0, 0, 0),
            evictable=(unlocked, 0, 0),
            protected=(locked, 0, 0),
            whole=Whole(free=(tuple(self.unused), None, None, None, None, None)),
        )

    # -- the tree ----------------------------------------------------------------------------------

    def walk(self, tokens: tuple[int, ...]) -> Node:
        """The node that ends the longest known prefix; one in which it ends is split there."""
        node, at = self.root, 0
        while at < len(tokens) and (child := node.children.get(tokens[at])) is not None:
            pairs = zip(child.tokens, tokens[at:], strict=False)
            same = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
            same = min(len(child.tokens), len(tokens) - at) if same is None else same
            node, at = child if same == len(child.tokens) else self.split(child, same), at + same
            if node is not child:
                break
        return node

    def split(self, lower: Node, at: int) -> Node:
        """Cut a node in two; the lower half keeps the name."""
        assert lower.parent is not None
        upper = self.add(lower.parent, lower.tokens[:at], lower.slots[:at])
        upper.locks, upper.used = lower.locks, lower.used
        lower.tokens, lower.slots, lower.parent = lower.tokens[at:], lower.slots[at:], upper
        upper.children[lower.tokens[0]] = lower
        return upper

    def add(self, parent: Node, tokens: tuple[int, ...], slots: list[int]) -> Node:
        self.made += 1
        node = parent.children[tokens[0]] = Node(self.made, parent, tokens, slots)
        return node

    def touch(self, node: Node) -> None:
        for one in node.path():
            self.clock += 1
            one.used = self.clock

    def nodes(self) -> Iterator[Node]:
        """All but the root, parents first."""
        queue = [self.root]
        for node in queue:
            queue += node.children.values()
        return iter(queue[1:])

    def victims(self) -> list[Node]:
        return [node for node in self.nodes() if not node.children and not node.locks]


def _view(node: Node) -> NodeView:
    assert node.parent is not None
    return NodeView(
        node.id,
        node.parent.id,
        "",
        node.tokens,
        (tuple(node.slots), None, None, None, None, None),
        locks=(node.locks, 0, 0),
    )


def target(kind: type[Toy] = Toy) -> Target:
    return Target("toy", "a toy", Dialect(), kind, SCOPE, SIGHT)

"""Events of the radix cache: who listens knows what is where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from radixproof.impl.observation import Event
from radixproof.impl.radix.config import Component
from radixproof.impl.radix.events import Events
from radixproof.impl.radix.node import Node, Units
from radixproof.impl.radix.tree import Tree
from radixproof.model.config import Component as Kind
from radixproof.model.config import Pool

from ...other_hashes import printed_with_other_hashes
from ...releases import AGAIN
from .lettered import Cache


class Router:
    """Replays events: the pages on each tier, by what was said of them."""

    def __init__(self) -> None:
        self.tiers: tuple[set[int], set[int]] = (set(), set())
        self.prefixes: dict[int, tuple[str, tuple[Any, ...]]] = {}

    def hear(self, events: tuple[Event, ...]) -> None:
        for event in events:
            tier = self.tiers[event.on_host]
            if event.kind == "cleared":
                for tier in self.tiers:
                    tier.clear()
            elif event.kind == "removed":
                assert tier.issuperset(event.blocks)
                tier.difference_update(event.blocks)
            else:
                assert tier.isdisjoint(event.blocks)
                tier.update(event.blocks)
                self._name(event)

    def _name(self, event: Event) -> None:
        namespace, units = (
            (event.namespace, ()) if event.parent is None else self.prefixes[event.parent]
        )
        size = len(event.tokens) // len(event.blocks)
        for number, block in enumerate(event.blocks, 1):
            prefix = (namespace, units + event.tokens[: number * size])
            assert self.prefixes.setdefault(block, prefix) == prefix

    def texts(self, on_host: bool) -> set[str]:
        return {"".join(map(chr, self.prefixes[block][1])) for block in self.tiers[on_host]}


def pages(cache: Cache, pool: Pool) -> set[str]:
    """The prefixes that end with a page that is in a pool, and not only on its way there."""
    size = cache.config.page_size
    return {
        text[:end]
        for text, node in cache.nodes().items()
        if node.slots[pool] is not None and not (pool.on_host and node.pending)
        for end in range(len(text) - len(node.segment) + size, len(text) + 1, size)
    }


def test_events_replay_to_what_is_resident() -> None:
    cache, router = Cache(page_size=2, window=4), Router()
    steps: list[Callable[[], object]] = [
        lambda: cache.put("abcdef"),
        lambda: cache.put("abxx"),
        lambda: cache.system.run_copies(1),
        lambda: cache.system.writing_check(blocking=False),
        lambda: cache.match("abcd"),
        cache.settle,
        lambda: cache.system.evict(6, 0, 0),
        lambda: cache.load("abcdef"),
        cache.settle,
        lambda: cache.system.evict(20, 0, 0),
        lambda: cache.put("abcd"),
        lambda: cache.fetch("abcdefgh", start=6),
        lambda: cache.system.evict_host(4, Kind.FULL),
    ]
    for step in steps:
        step()
        router.hear(cache.see().events or ())
        assert router.texts(on_host=False) == pages(cache, Pool.FULL)
        assert router.texts(on_host=True) == pages(cache, Pool.FULL_HOST)
    cache.settle()
    cache.system.reset()
    router.hear(cache.see().events or ())
    assert router.tiers == (set(), set())


def leaf(tree: Tree, parent: Node, segment: Units, namespace: str = "") -> Node:
    return tree.add_leaf(parent, namespace, segment, np.arange(len(segment), dtype=np.int64))


def test_blocks_hang_under_the_page_above_and_a_split_changes_no_name() -> None:
    events = Events(2)
    tree = Tree(2, events)
    top = leaf(tree, tree.root, (1, 2, 3, 4))
    low = leaf(tree, top, (5, 6))
    first, second = events.drain()
    assert (first.parent, first.units, len(first.blocks)) == (None, (1, 2, 3, 4), 2)
    assert (second.parent, second.units) == (first.blocks[1], (5, 6))
    upper = tree.split(top, 2)
    assert events.drain() == ()
    for node in (low, top, upper):
        tree.take_device(node, Component.FULL)
    assert [event.blocks for event in events.drain()] == [
        second.blocks,
        first.blocks[1:],
        first.blocks[:1],
    ]


def test_names_tell_namespaces_and_what_is_before_apart() -> None:
    events = Events(1)
    tree = Tree(1, events)
    leaf(tree, leaf(tree, tree.root, (1, 1)), (2,))
    leaf(tree, tree.root, (2,))
    leaf(tree, tree.root, (1, 1), "other")
    blocks = [block for event in events.drain() for block in event.blocks]
    assert len(set(blocks)) == len(blocks) == 6


PROGRAM = """
import numpy as np
from radixproof.impl.radix.events import Events
from radixproof.impl.radix.tree import Tree

events = Events(1)
tree = Tree(1, events)
tree.add_leaf(tree.root, "space", ((1, 2), (2, 3)), np.arange(2))
print(events.drain())
"""


@AGAIN
def test_names_are_the_same_in_every_process_and_for_pairs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process and in one that hashes strings otherwise."""
    printed = printed_with_other_hashes(PROGRAM)
    exec(PROGRAM, {})
    assert printed == capsys.readouterr().out
    assert "((1, 2), (2, 3))" in printed

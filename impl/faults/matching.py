"""Bugs in matching, keys and namespaces: which prefix is found, for whom, and what it renews."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import CacheConfig, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node, Units
    from radixproof.impl.radix.pools import Slots
    from radixproof.impl.radix.window import Gate

MAMBA = Component.MAMBA

Judge: TypeAlias = "Callable[[Node], tuple[bool, bool]]"
"""Whether a prefix may end at the next node of a path: on the device, and on either tier."""


def match_by(
    cache: RadixCache,
    judge_of: Callable[[CacheConfig], Judge],
    used: Callable[[CacheConfig], int | None] = lambda config: config.window,
) -> None:
    """Let a new judge decide in every match where the prefix may end.

    The SWA of ``used`` units before it is renewed.
    """
    from radixproof.impl.radix.matching import Match, path_slots
    from radixproof.impl.radix.window import renew

    tree, config = cache.tree, cache.config

    def match(tokens: Sequence[int], namespace: str = "") -> Match:
        judge, units = judge_of(config), cache._whole_pages(tokens)
        device_node = best_node = node = tree.root
        path: list[Node] = []
        while (child := tree.step(node, namespace, units, node.end)) is not None:
            node = child
            path.append(node)
            device, either = judge(node)
            device_node = node if device and node.full.device is not None else device_node
            best_node = node if either else best_node
        for node in path:
            if node.end <= best_node.end:
                tree.touch(node)
        renew(tree, best_node, used(config))
        if best_node.mamba.device is not None:
            tree.device_order[MAMBA].renew(best_node)
        return Match(path_slots(device_node), device_node, best_node)

    cache.match = match  # type: ignore[method-assign]


def gated(on_device: Gate, on_either: Gate, states: bool) -> Judge:
    """The judge that matches have, with gates of one's own."""

    def judge(node: Node) -> tuple[bool, bool]:
        swa, mamba = node.swa, node.mamba
        state_here = not states or mamba.device is not None
        either = on_either.admits(node, swa.device is not None or swa.host is not None)
        return on_device.admits(node, swa.device is not None) and state_here, either and (
            state_here or mamba.host is not None
        )

    return judge


def as_it_should(config: CacheConfig) -> Judge:
    from radixproof.impl.radix.window import Gate

    return gated(Gate(config.window), Gate(config.window), config.stateful)


@fault(
    "B15, SGLang pull requests 29282, 29353, 29349",
    "a prefix may end right below a tombstone, without the window it needs",
    Property.MATCH,
)
def match_without_a_whole_window(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import Gate

    class ShortMemory(Gate):
        """Counts no units after a tombstone: one node with SWA below it is enough."""

        def admits(self, node: Node, present: bool) -> bool:
            return self.window is None or present

    match_by(cache, lambda c: gated(ShortMemory(c.window), ShortMemory(c.window), c.stateful))


@fault(
    "B49, SGLang pull request 27291",
    "a match accepts a window that is one token short",
    Property.MATCH,
)
def match_with_a_window_a_token_short(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import Gate

    def judge(config: CacheConfig) -> Judge:
        window = None if config.window is None else config.window - 1
        return gated(Gate(window), Gate(window), config.stateful)

    match_by(cache, judge)


@fault(
    "B77, SGLang pull request 39541",
    "a prefix whose window is on the host only is not found there",
    Property.PROGRESS,
)
def match_misses_windows_on_host(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import Gate

    def judge_of(config: CacheConfig) -> Judge:
        judge, on_device = as_it_should(config), Gate(config.window)

        def judge_strictly(node: Node) -> tuple[bool, bool]:
            device, either = judge(node)
            return device, on_device.admits(node, node.swa.device is not None) and either

        return judge_strictly

    match_by(cache, judge_of)


@fault(
    "B38, SGLang pull requests 25085, 25088 and issue 24869",
    "the best node of a match is the deepest one with FULL, "
    "where its window and state are on neither tier",
    Property.MATCH,
)
def best_match_asks_for_full_only(cache: RadixCache) -> None:
    def judge_of(config: CacheConfig) -> Judge:
        judge = as_it_should(config)
        return lambda node: (judge(node)[0], True)

    match_by(cache, judge_of)


@fault(
    "SGLang pull requests 32710, 37584, 39627",
    "tombstones are not noticed on nodes that have no state: "
    "a check that fails keeps the others from being made",
    Property.RECENCY,
)
def window_not_checked_without_state(cache: RadixCache) -> None:
    def judge_of(config: CacheConfig) -> Judge:
        judge = as_it_should(config)

        def judge_with_state(node: Node) -> tuple[bool, bool]:
            if config.stateful and node.mamba.device is None and node.mamba.host is None:
                return False, False
            return judge(node)

        return judge_with_state

    match_by(cache, judge_of)


@fault(
    "B36, SGLang pull request 24943",
    "a match that ends inside a node on the host only leaves it uncut, and stops above it",
    Property.MATCH,
)
def partial_match_on_host_is_lost(cache: RadixCache) -> None:
    tree, step, match = cache.tree, cache.tree.step, cache.match

    def step_whole(node: Node, namespace: str, units: Units, offset: int) -> Node | None:
        child = node.children.get(
            tree.edge(node, namespace, units[offset : offset + tree.page_size])
        )
        partial = child is not None and units[offset : offset + len(child.segment)] != child.segment
        if partial and child is not None and child.full.device is None:
            return None
        return step(node, namespace, units, offset)

    def match_whole(tokens: Sequence[int], namespace: str = "") -> Match:
        tree.step = step_whole  # type: ignore[method-assign]
        try:
            return match(tokens, namespace)
        finally:
            tree.step = step  # type: ignore[method-assign]

    cache.match = match_whole  # type: ignore[method-assign]


@fault(
    "B51, SGLang pull requests 24371, 28692, 36696",
    "a key of less than a page is not rounded down to nothing",
    Property.NOCRASH,
)
def key_below_a_page_is_kept(cache: RadixCache) -> None:
    whole_pages = cache._whole_pages

    def pages(tokens: Sequence[int]) -> Units:
        return whole_pages(tokens) or (
            tuple(pairwise(tokens)) if cache.config.bigram else tuple(tokens)
        )

    cache._whole_pages = pages  # type: ignore[method-assign]


@fault(
    "SGLang pull requests 10846, 11231",
    "pairs of tokens are looked up by their first tokens, "
    "so that the last KV of a prefix is that of another continuation",
    Property.MATCH,
)
def pairs_as_single_tokens(cache: RadixCache) -> None:
    whole_pages = cache._whole_pages

    def pages(tokens: Sequence[int]) -> Units:
        return tuple(tokens[: len(whole_pages(tokens))])

    cache._whole_pages = pages  # type: ignore[method-assign]


@fault(
    "B50, SGLang pull requests 19570, 27655",
    "what is fetched to the host is put under a key of tokens where keys are pairs of them",
    Property.BACKUP,
)
def fetched_under_tokens_not_pairs(cache: RadixCache) -> None:
    config, insert = cache.config, cache.host_inserter.insert

    def insert_tokens(namespace: str, units: Units, *offered: Any) -> int:
        first = tuple(unit[0] if isinstance(unit, tuple) else unit for unit in units)
        return insert(namespace, first, *offered)

    if config.bigram:
        cache.host_inserter.insert = insert_tokens  # type: ignore[assignment, method-assign]


@fault(
    "B66, SGLang pull requests 25214, 25351 and issue 24638",
    "the first page of a key decides where it is stored, whatever its namespace",
    Property.MATCH,
)
def namespaces_share_a_tree(cache: RadixCache) -> None:
    def edge(parent: Node, namespace: str, segment: Units) -> Hashable:
        return segment[: cache.tree.page_size]

    cache.tree.edge = edge  # type: ignore[method-assign]


@fault(
    "B64, SGLang pull requests 26747, 37058, 38577",
    "what is fetched to the host for one namespace is stored for all",
    Property.PROGRESS,
)
def fetched_for_every_namespace(cache: RadixCache) -> None:
    insert = cache.host_inserter.insert

    def insert_for_all(namespace: str, units: Units, slots: Slots, start: int, *rest: Any) -> int:
        return insert("" if not start else namespace, units, slots, start, *rest)

    cache.host_inserter.insert = insert_for_all  # type: ignore[assignment, method-assign]


@fault(
    "SGLang pull request 12111 and issue 12007",
    "a match renews the nodes of its path from the bottom up, "
    "so that parents are newer than children",
    Property.RECENCY,
)
def match_renews_parents_last(cache: RadixCache) -> None:
    find = cache.match

    def match_upwards(tokens: Sequence[int], namespace: str = "") -> Match:
        found = find(tokens, namespace)
        node = found.best_node
        while node.parent is not None:
            cache.tree.touch(node)
            node = node.parent
        return found

    cache.match = match_upwards  # type: ignore[method-assign]


@fault(
    "SGLang pull request 12111 and issue 12007",
    "a match renews the SWA of the whole path, not only of the window that it uses",
    Property.RECENCY,
)
def match_renews_more_than_a_window(cache: RadixCache) -> None:
    match_by(cache, as_it_should, used=lambda config: config.window and 1 << 30)


@fault(
    "SGLang pull request 24892",
    "a match renews the nodes beyond the prefix that it can serve",
    Property.RECENCY,
)
def match_renews_what_it_cannot_serve(cache: RadixCache) -> None:
    find, step = cache.match, cache.tree.step

    def step_and_touch(node: Node, namespace: str, units: Units, offset: int) -> Node | None:
        child = step(node, namespace, units, offset)
        if child is not None:
            passed.append(child)
        return child

    def match_and_touch(tokens: Sequence[int], namespace: str = "") -> Match:
        passed.clear()
        cache.tree.step = step_and_touch  # type: ignore[method-assign]
        found = find(tokens, namespace)
        cache.tree.step = step  # type: ignore[method-assign]
        for node in passed:
            cache.tree.touch(node)
        return found

    passed: list[Node] = []
    cache.match = match_and_touch  # type: ignore[method-assign]


@fault(
    "SGLang pull request 12111 and issue 12007",
    "a match does not renew what it finds",
    Property.RECENCY,
)
def match_is_no_use(cache: RadixCache) -> None:
    find, touch = cache.match, cache.tree.touch

    def look(tokens: Sequence[int], namespace: str = "") -> Match:
        cache.tree.touch = lambda node: None  # type: ignore[method-assign]
        found = find(tokens, namespace)
        cache.tree.touch = touch  # type: ignore[method-assign]
        return found

    cache.match = look  # type: ignore[method-assign]

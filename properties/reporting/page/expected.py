"""What the rules wanted of the last step of a history: the tree that the model makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from radixproof.impl.observation import ROOT, NodeView, PerComponent, SlotsPerPool
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.config import DEVICE, HOST, POOLS, Component, Pool
from radixproof.model.following.choice import Choice
from radixproof.model.following.follower import Evicted, Follower
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.inserting import Inserting
from radixproof.model.specification.loading import Loading
from radixproof.model.specification.trie import Amounts, Page
from radixproof.model.verdict import Breach
from radixproof.properties.reporting.narrate import Tree
from radixproof.properties.reporting.tree_text import Holders
from radixproof.properties.running.run import Run


class Expected(NamedTuple):
    """A tree that the rules want, and who holds what in it."""

    tree: Tree
    holders: Holders


class Strict(Follower):
    """Does what the rules say, whatever the system did; where they leave a choice, what is first in
    order.
    """

    def __init__(self, cache: Cache) -> None:
        super().__init__(cache)
        self.cache = cache

    def finish_insert(self, insert: Inserting, choice: Choice) -> list[Breach]:
        self.cache.finish_insert(insert)
        return []

    def evict(self, asked: Amounts, choice: Choice, amount_known: bool = True) -> Evicted:
        return Evicted(self.cache.evict(asked), [])

    def evict_host(self, tokens: int, component: Component, choice: Choice) -> Evicted:
        freed = [0] * len(Component)
        freed[component] = self.cache.evict_host(tokens, component)
        return Evicted(Amounts(*freed), [])

    def finish_load(self, loading: Loading, loaded: bool, choice: Choice) -> list[Breach]:
        if not loading.refused:
            self.cache.finish_load(loading)
        return []


def by_the_rules(target: Target, history: History) -> Expected | None:
    """The tree that the rules want after the last operation of a history, given all that the system
    did before; one of several, where they leave a choice.

    None where nothing can be said: the last step raises, the judge has given up before, or an
    allocation was told to fail that may have been any.
    """
    *earlier, last = history.operations
    found: list[Expected] = []
    run = Run(target, history.config, every=1)
    try:
        for operation in earlier:
            run.step(operation)
        judge = run.judge
        if judge.given_up or judge.model.refusing:
            return None
        judge.follower = Strict(judge.model)
        judge.before_adopting = lambda: found.append(expected(judge.model))
        run.step(last)
    finally:
        run.close()
    return found[-1] if found else None


def expected(model: Cache) -> Expected:
    """The nodes of the model, numbered as they come; which slots they have it does not know."""
    ends = [page for page in model.trie.recency if page.cut]
    number = {page: at for at, page in enumerate(ends, ROOT + 1)}
    tree = tuple(_view(model, page, number) for page in sorted(ends, key=lambda page: page.end))
    holders = {
        number[page]: {pool: [*map(str, page.holders[pool])] for pool in POOLS} for page in ends
    }
    return Expected(tree, holders)


def _view(model: Cache, end: Page, number: dict[Page, int]) -> NodeView:
    node = end.node()
    above = node[0].parent
    flying = model.copies.flying
    full, swa, mamba, full_host, swa_host, mamba_host = (
        () if end.has(pool) else None for pool in POOLS
    )
    slots: SlotsPerPool = (full, swa, mamba, full_host, swa_host, mamba_host)
    return NodeView(
        id=number[end],
        parent=ROOT if above is None else number.get(above, ROOT),
        namespace=end.namespace,
        segment=tuple(unit for page in node for unit in page.tokens),  # type: ignore[arg-type]
        slots=slots,
        locks=_counts(end, DEVICE),
        pending=any(end in copy.node for copy in flying if not copy.load),
        host_locks=_counts(end, HOST),
        loading=any(end in copy.node for copy in flying if copy.load),
    )


def _counts(end: Page, tier: Sequence[Pool]) -> PerComponent:
    """How often a node is locked on a tier."""
    full, swa, mamba = (len(end.holders[pool]) for pool in tier)
    return full, swa, mamba

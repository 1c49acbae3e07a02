"""Bugs in the drives of an eviction: in what order they come, and who is asked in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

FULL, SWA, MAMBA = COMPONENTS

Amounts: TypeAlias = "tuple[int, int, int]"


def _is_locked(node: Node, component: Component) -> bool:
    return node.states[component].locks > 0


def _evict_by(
    cache: RadixCache,
    *,
    order: Iterable[Component] = COMPONENTS,
    values: Callable[[Component], Iterable[Node]] = lambda c: (),
    is_locked: Callable[[Node, Component], bool] = _is_locked,
) -> None:
    """Let evictions go on in another way: their drives in another order, with other candidates, or
    so that another lock counts.
    """
    evictor, tree = cache.device_evictor, cache.tree
    backups = cache.backups if cache.config.write_back else None

    def evict(full: int, swa: int, mamba: int) -> Amounts:
        wanted, freed, leaves = (full, swa, mamba), [0, 0, 0], tree.device_leaves
        for component in order:
            candidates = (
                cache.eviction_order.take_turns(leaves)
                if component is FULL
                else [*values(component)] or tree.device_order[component]
            )
            for node in candidates:
                if freed[component] >= wanted[component]:
                    break
                if component is FULL or node in leaves:
                    evictor._evict_leaf(node, freed)
                elif node.states[component].device is not None and not is_locked(node, component):
                    if backups is not None:
                        backups.back_up_now(node)
                    evictor._make_tombstone(node, component, freed)
        return freed[FULL], freed[SWA], freed[MAMBA]

    evictor.evict = evict  # type: ignore[method-assign]


@fault(
    "family of B55, SGLang pull requests 33091, 36713: the order of the drives",
    "states are evicted before windows, which take more of them along",
    Property.RECENCY,
)
def states_go_before_windows(cache: RadixCache) -> None:
    _evict_by(cache, order=(FULL, MAMBA, SWA))


@fault(
    "family of B16, SGLang pull request 28161: whose lock counts",
    "a window is spared where FULL is locked, though no lock keeps the window itself",
    Property.PROGRESS,
)
def window_spared_where_full_is_locked(cache: RadixCache) -> None:
    _evict_by(cache, is_locked=lambda node, component: node.full.locks > 0)


@fault(
    "family of SGLang pull request 12111 and issue 12007: two orders of use",
    "windows go by the last use of their nodes, not by their own",
    Property.RECENCY,
)
def windows_go_by_use_of_their_nodes(cache: RadixCache) -> None:
    def values(component: Component) -> Iterable[Node]:
        listed = [*cache.tree.device_order[component]]
        return sorted(listed, key=lambda node: (node.accessed, node.end))

    _evict_by(cache, values=values)

"""Nodes in words: by their prefixes, as pictures of the tree show them, never by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from radixproof.impl.observation import NodeView
from radixproof.model.key import Key, tokens_of


def spell_node(views: Mapping[int, NodeView], node: int) -> str:
    """A node as ``a:[1 2 | 3 4]``: the prefix that it hangs under, a bar, and its own tokens."""
    if node not in views:
        return "a node that is not in the tree"
    view = views[node]
    head, tail = (
        " ".join(map(str, tokens_of(units))) for units in (_above(views, view), view.segment)
    )
    namespace = f"{view.namespace}:" if view.namespace else ""
    return f"{namespace}[{head} | {tail}]" if head else f"{namespace}[{tail}]"


def prefix_of(views: Mapping[int, NodeView], node: int) -> Key:
    """The prefix that ends with a node."""
    view = views[node]
    return Key(tokens_of([*_above(views, view), *view.segment]), view.namespace)


def by_prefix(tree: Iterable[NodeView]) -> dict[Key, NodeView]:
    """The nodes of a tree by the prefix that each ends with: numbers differ from tree to tree."""
    views = {view.id: view for view in tree}
    return {prefix_of(views, node): view for node, view in views.items()}


def _above(views: Mapping[int, NodeView], view: NodeView) -> list[int | tuple[int, int]]:
    """The units from the root down to a node."""
    above: list[int | tuple[int, int]] = []
    seen, parent = {view.id}, view.parent
    while parent in views and parent not in seen:
        seen.add(parent)
        above[:0] = views[parent].segment
        parent = views[parent].parent
    return above


def spell_nodes(views: Mapping[int, NodeView], nodes: Iterable[int]) -> str:
    """Several of them, in the order given."""
    return ", ".join(spell_node(views, node) for node in nodes) or "nothing"


def spell_difference(
    views: Mapping[int, NodeView], shown: Iterable[int], defined: Iterable[int]
) -> str:
    """How a set, or a list, differs from what it should hold by definition."""
    held, wanted = list(shown), set(defined)
    missing, strange = sorted(wanted - set(held)), sorted(set(held) - wanted)
    twice = sorted({node for node in held if held.count(node) > 1})
    parts = (("lacks", missing), ("should not hold", strange), ("holds more than once", twice))
    return " and ".join(f"{verb} {spell_nodes(views, nodes)}" for verb, nodes in parts if nodes)

"""Nodes in words: by their prefixes, as pictures of the tree show them, never by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from radixproof.impl.observation import NodeView
from radixproof.model.key import tokens_of


def spell_node(views: Mapping[int, NodeView], node: int) -> str:
    """A node as ``a:[1 2 | 3 4]``: the prefix that it hangs under, a bar, and its own tokens."""
    if node not in views:
        return "a node that is not in the tree"
    view = views[node]
    above: list[int | tuple[int, int]] = []
    seen, parent = {node}, view.parent
    while parent in views and parent not in seen:
        seen.add(parent)
        above[:0] = views[parent].segment
        parent = views[parent].parent
    head, tail = (" ".join(map(str, tokens_of(units))) for units in (above, view.segment))
    namespace = f"{view.namespace}:" if view.namespace else ""
    return f"{namespace}[{head} | {tail}]" if head else f"{namespace}[{tail}]"


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

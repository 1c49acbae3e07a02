"""Prefixes and trees as text, as reports show them (semantics 1.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radixproof.model.config import DEVICE, HOST, Component
from radixproof.model.key import tokens_of
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page


def spell(pages: Sequence[Page]) -> str:
    """A run of pages as text, with what it hangs under: ``a:[1 2 | 3 4]`` (semantics 1.1)."""
    above = pages[0].parent
    head = " ".join(map(str, above.key().tokens)) if above is not None else ""
    tail = " ".join(map(str, tokens_of([unit for page in pages for unit in page.tokens])))
    namespace = f"{pages[0].namespace}:" if pages[0].namespace else ""
    return f"{namespace}[{head} | {tail}]" if head else f"{namespace}[{tail}]"


def draw(state: State) -> str:
    """The whole tree, one node a line, children under their parents (semantics 1.1)."""
    roots = sorted(state.trie.roots.items())
    lines = [line for _, root in roots for line in _lines(state, root, "")]
    return "\n".join(lines) or "(empty)"


def _lines(state: State, above: Page, indent: str) -> Iterator[str]:
    """The nodes below a page, in the order of their keys (semantics 1.1)."""
    for child in sorted(above.children.values(), key=lambda page: page.tokens):
        if child in state.trie.recency:
            end = child.node_end()
            yield indent + _line(state, end)
            yield from _lines(state, end, indent + "   ")


def _line(state: State, end: Page) -> str:
    """One node: its tokens, and per component where it is and how it is locked (1.1, 1.2)."""
    units = [unit for page in end.node() for unit in page.tokens]
    namespace = f"{end.namespace}:" if end.namespace else ""
    parts = [f"{namespace}[{' '.join(map(_unit, units))}]"]
    parts += [_component(end, component) for component in state.config.components]
    for load, words in ((False, "backup"), (True, "load-back")):
        if any(end in copy.node for copy in state.copies.flying if copy.load == load):
            parts.append(f"{words} in flight")
    return "  ".join(parts)


def _unit(unit: int | tuple[int, int]) -> str:
    """A token; or a pair of them, where keys are bigrams: ``1-2`` (semantics 2.2)."""
    return "-".join(map(str, unit)) if isinstance(unit, tuple) else str(unit)


def _component(end: Page, component: Component) -> str:
    """Where a node has a component, and how often that is locked (semantics 1.2, 6)."""
    tiers = (("device", "locked", DEVICE[component]), ("host", "host-locked", HOST[component]))
    there = "+".join(tier for tier, _, pool in tiers if end.has(pool))
    absent = "nowhere" if component is Component.FULL else "tombstone"
    locks = [
        f"{words} x{len(end.holders[pool])}" for _, words, pool in tiers if end.locked_in(pool)
    ]
    text = f"{component.name} {there or absent}"
    return f"{text} ({', '.join(locks)})" if locks else text

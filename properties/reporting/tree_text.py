"""Trees drawn as text, one node a line, with what changed between two of them marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from radixproof.impl.observation import ROOT, NodeView
from radixproof.model.config import DEVICE, HOST, Component, Config, Pool
from radixproof.properties.reporting.wording import plural

Held: TypeAlias = Mapping[Pool, Sequence[str]]
"""Who has locked a node, by the rules."""
Holders: TypeAlias = Mapping[int, Held]
"""The same of all nodes, by their numbers; nobody holds those that are not there."""
MOST_NAMED = 3
"""Holders of one lock that are named."""

DEEPEST = 30
"""Nodes above one another that are drawn by indentation."""
LARGE = 40
"""Nodes of a tree from which on it is drawn once: then only what has changed, and where."""


def draw(
    config: Config,
    shown: Sequence[NodeView],
    other: Sequence[NodeView],
    mark: str,
    holders: Holders | None = None,
    others: Holders | None = None,
) -> list[str]:
    """The tree of the nodes ``shown``, siblings in the order of their keys.

    Nodes that ``other`` lacks are marked with ``mark``, those that differ there with ``~``. Locks
    are named by their ``holders``, and those of the other tree by the ``others``; None: unknown.
    """
    texts = {node: text for _, node, text in _told(config, other, others)}
    drawn: list[str] = []
    for depth, node, text in _told(config, shown, holders):
        sign = mark if node not in texts else " " if texts[node] == text else "~"
        drawn.append(f"{sign} {_indent(depth)}{text}")
    return drawn or ["  (empty)"]


def _told(
    config: Config, tree: Sequence[NodeView], holders: Holders | None
) -> Iterator[tuple[int, int, str]]:
    """The nodes in order: how many are above each, its number, and what is said of it."""
    parents = {view.id: view.parent for view in tree}
    for depth, view in in_order(tree):
        text, parent = _text(config, view, holders), parents[view.id]
        if parent != view.parent:
            text += f"  (its parent is {'below it' if parent in parents else 'not there'})"
        yield depth, view.id, text


def shortened(drawn: Sequence[str]) -> list[str]:
    """A large tree without the nodes that have not changed, but for those above others that have:
    how many there are stands in their place.
    """
    if len(drawn) <= LARGE:
        return list(drawn)
    kept: list[int] = []
    above = 0
    for at in reversed(range(len(drawn))):
        sign, depth = drawn[at][0], len(drawn[at][1:]) - len(drawn[at][1:].lstrip())
        if sign != " " or depth < above:
            kept.append(at)
            above = depth
    lines: list[str] = []
    for before, at in pairwise((-1, *reversed(kept), len(drawn))):
        left_out = at - before - 1
        lines += [f"  ({plural(left_out, 'node')} as before)"] if left_out else []
        lines += drawn[at : at + 1]
    return lines


def in_order(tree: Iterable[NodeView]) -> Iterator[tuple[int, NodeView]]:
    """The nodes, each with how many are above it: parents before their children, siblings in the
    order of their keys. One whose parent is not above it hangs from the root here.
    """
    views = sorted(tree, key=_place, reverse=True)
    known = {view.id for view in views}
    below: dict[int, list[NodeView]] = {}
    for view in views:
        hung = view if view.parent in known else view._replace(parent=ROOT)
        below.setdefault(hung.parent, []).append(hung)
    waiting = [(0, view) for view in below.pop(ROOT, [])]
    while waiting or below:  # and not by recursion: a tree may be a thousand nodes deep
        if not waiting:
            waiting.append((0, _cut(below)._replace(parent=ROOT)))
        depth, view = waiting.pop()
        yield depth, view
        waiting += ((depth + 1, child) for child in below.pop(view.id, []))


def _cut(below: dict[int, list[NodeView]]) -> NodeView:
    """Take out one of those that are left, each of which is above itself or hangs from such."""
    first = min((views[-1] for views in below.values()), key=_place)
    below[first.parent].remove(first)
    if not below[first.parent]:
        del below[first.parent]
    return first


def _indent(depth: int) -> str:
    """Three columns for each node above; in a very deep tree their number instead."""
    return "   " * depth if depth <= DEEPEST else f"{'   ' * DEEPEST}({depth} above) "


def _place(view: NodeView) -> tuple[str, Sequence[Any], int]:
    """Sorts a node among its siblings, by nothing that a system may number or order as it likes."""
    return view.namespace, view.segment, view.id


def _text(config: Config, view: NodeView, holders: Holders | None) -> str:
    held = None if holders is None else holders.get(view.id, {})
    namespace = f"{view.namespace}:" if view.namespace else ""
    parts = [f"{namespace}[{' '.join(map(unit_text, view.segment))}]"]
    for component in config.components:
        pools = (("device", DEVICE[component]), ("host", HOST[component]))
        on = [name for name, pool in pools if view.slots[pool] is not None]
        absent = "nowhere" if component is Component.FULL else "tombstone"
        parts.append(f"{component.name} {'+'.join(on) or absent}{_locks(view, component, held)}")
    if view.pending:
        parts.append("backup in flight")
    if view.loading:
        parts.append("load-back in flight")
    return "  ".join(parts)


def unit_text(unit: int | tuple[int, int]) -> str:
    """A token; or a pair of tokens, where keys are bigrams: ``1-2``."""
    return "-".join(map(str, unit)) if isinstance(unit, tuple) else str(unit)


def _locks(view: NodeView, component: Component, held: Held | None) -> str:
    tiers = (
        ("locked", view.locks, DEVICE[component]),
        ("host-locked", view.host_locks, HOST[component]),
    )
    words = [
        lock_text(
            word,
            None if counts is None else counts[component],
            None if held is None else held.get(pool, ()),
        )
        for word, counts, pool in tiers
    ]
    words = list(filter(None, words))
    return f" ({', '.join(words)})" if words else ""


def lock_text(word: str, count: int | None, names: Sequence[str] | None) -> str:
    """How often something is locked, as far as that is seen, and by whom it should be."""
    if names is None:
        return f"{word} x{count}" if count else ""
    if not (count or names):
        return ""
    more = len(names) - MOST_NAMED
    listed = ", ".join(names[:MOST_NAMED]) or "nobody"
    listed += f" and {more} more" if more > 0 else ""
    if count in (None, len(names)):
        return f"{word} by {listed}"
    return f"{word} x{count}, should be by {listed}"

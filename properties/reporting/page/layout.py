"""Where the boxes of a tree are drawn: from left to right, as close together as they can stand.

A tidy layout, after Reingold and Tilford, Tidier Drawings of Trees (1981): every node stands in the
middle of its children, a subtree is drawn alike wherever it is, and the subtrees of a node are
pushed together until they nearly touch. Boxes may be of any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

ACROSS, BETWEEN = 26, 10
"""Pixels between a node and its children, and between what stands above one another."""


class Size(NamedTuple):
    """Of a box, in pixels."""

    width: int
    height: int


class Place(NamedTuple):
    """The upper left corner of a box, in pixels."""

    x: int
    y: int


class _Outline(NamedTuple):
    """Upper and lower edge of a subtree, level by level, measured from the top of its root."""

    upper: list[int]
    lower: list[int]


def place(parents: Sequence[int | None], sizes: Sequence[Size]) -> list[Place]:
    """Where each box stands. ``parents`` come before their children, whose order is kept; None has
    no parent.
    """
    below: list[list[int]] = [[] for _ in parents]
    depths: list[int] = []
    for node, parent in enumerate(parents):
        depths.append(0 if parent is None else depths[parent] + 1)
        if parent is not None:
            below[parent].append(node)
    outlines: list[_Outline | None] = [None] * len(parents)
    offsets = [0] * len(parents)
    for node in reversed(range(len(parents))):
        outlines[node] = _stack(below[node], sizes, outlines, offsets, sizes[node].height)
    roots = [node for node, parent in enumerate(parents) if parent is None]
    _stack(roots, sizes, outlines, offsets, 0)
    top = min((offsets[root] + _highest(outlines[root]) for root in roots), default=0)
    columns = _columns(depths, sizes)
    tops: list[int] = []
    for node, parent in enumerate(parents):
        tops.append(offsets[node] + (-top if parent is None else tops[parent]))
    return [Place(columns[depth], y) for depth, y in zip(depths, tops, strict=True)]


def _highest(outline: _Outline | None) -> int:
    assert outline is not None
    return min(outline.upper)


def _columns(depths: Sequence[int], sizes: Sequence[Size]) -> list[int]:
    """Where each level begins: after the widest box of the one before."""
    widest = [0] * (max(depths, default=0) + 1)
    for depth, size in zip(depths, sizes, strict=True):
        widest[depth] = max(widest[depth], size.width)
    columns = [0]
    for width in widest:
        columns.append(columns[-1] + width + ACROSS)
    return columns


def _stack(
    nodes: Sequence[int],
    sizes: Sequence[Size],
    outlines: list[_Outline | None],
    offsets: list[int],
    height: int,
) -> _Outline:
    """Put the subtrees of these nodes below one another, and what is above them, so high, in the
    middle. Sets their ``offsets`` to the top of that, and forgets their outlines.
    """
    upper, lower = list[int](), list[int]()
    for node in nodes:
        outline = outlines[node]
        assert outline is not None
        gaps = (low - high + BETWEEN for low, high in zip(lower, outline.upper, strict=False))
        offsets[node] = shift = max(gaps, default=0)
        known = len(upper)
        upper += (edge + shift for edge in outline.upper[known:])
        deeper = outline.lower + [edge - shift for edge in lower[len(outline.lower) :]]
        lower = [edge + shift for edge in deeper]
        if height:
            outlines[node] = None
    if not nodes:
        return _Outline([0], [height])
    first, last = nodes[0], nodes[-1]
    middle = (offsets[first] + offsets[last] + sizes[last].height) // 2
    up = middle - height // 2
    for node in nodes:
        offsets[node] -= up
    upper, lower = ([edge - up for edge in edges] for edges in (upper, lower))
    return _Outline([0, *upper], [height, *lower])

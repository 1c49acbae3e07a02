"""Trees drawn as text, one node a line, with what changed between two of them marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from radixproof.impl.observation import ROOT, NodeView
from radixproof.model.config import DEVICE, HOST, Component, Config

DEEPEST = 30
"""Nodes above one another that are drawn by indentation."""


def draw(
    config: Config, shown: Sequence[NodeView], other: Sequence[NodeView], mark: str
) -> list[str]:
    """The tree of the nodes ``shown``, siblings in the order of their keys.

    Nodes that ``other`` lacks are marked with ``mark``, those that differ there with ``~``.
    """
    texts = {view.id: _text(config, view) for view in other}
    below: dict[int, list[NodeView]] = {}
    for view in sorted(shown, key=_place, reverse=True):
        below.setdefault(view.parent, []).append(view)
    drawn: list[str] = []
    waiting = [(0, view) for view in below.get(ROOT, [])]
    while waiting:  # and not by recursion: a tree may be a thousand nodes deep
        depth, view = waiting.pop()
        text = _text(config, view)
        sign = mark if view.id not in texts else " " if texts[view.id] == text else "~"
        drawn.append(f"{sign} {_indent(depth)}{text}")
        waiting += ((depth + 1, child) for child in below.get(view.id, []))
    return drawn or ["  (empty)"]


def _indent(depth: int) -> str:
    """Three columns for each node above; in a very deep tree their number instead."""
    return "   " * depth if depth <= DEEPEST else f"{'   ' * DEEPEST}({depth} above) "


def _place(view: NodeView) -> tuple[str, Sequence[Any], int]:
    """Sorts a node among its siblings, by nothing that a system may number or order as it likes."""
    return view.namespace, view.segment, view.id


def _text(config: Config, view: NodeView) -> str:
    namespace = f"{view.namespace}:" if view.namespace else ""
    parts = [f"{namespace}[{' '.join(map(_unit, view.segment))}]"]
    for component in config.components:
        pools = (("device", DEVICE[component]), ("host", HOST[component]))
        on = [name for name, pool in pools if view.slots[pool] is not None]
        absent = "nowhere" if component is Component.FULL else "tombstone"
        parts.append(f"{component.name} {'+'.join(on) or absent}{_locks(view, component)}")
    if view.pending:
        parts.append("backup in flight")
    if view.loading:
        parts.append("load-back in flight")
    return "  ".join(parts)


def _unit(unit: int | tuple[int, int]) -> str:
    """A token; or a pair of tokens, where keys are bigrams: ``1-2``."""
    return "-".join(map(str, unit)) if isinstance(unit, tuple) else str(unit)


def _locks(view: NodeView, component: Component) -> str:
    on_host = view.host_locks[component] if view.host_locks else 0
    on_device = view.locks[component] if view.locks else 0
    counts = [(on_device, "locked"), (on_host, "host-locked")]
    words = [f"{word} x{count}" for count, word in counts if count]
    return f" ({', '.join(words)})" if words else ""

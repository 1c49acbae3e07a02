"""Trees drawn as text, one node a line, with what changed between two sights marked."""

from __future__ import annotations

from collections.abc import Iterator

from radixproof.model.config import Component, Config, Pool
from radixproof.model.observation import ROOT, NodeView, Observation


def draw(config: Config, shown: Observation, other: Observation, mark: str) -> list[str]:
    """The tree of ``shown``. Nodes that ``other`` has not at all are marked ``mark``, those it has otherwise with ``~``."""
    others = {view.id: view for view in other.nodes}
    below: dict[int, list[NodeView]] = {}
    for view in shown.nodes:
        below.setdefault(view.parent, []).append(view)

    def lines(parent: int, indent: str) -> Iterator[str]:
        for view in below.get(parent, []):
            sign = mark if view.id not in others else "~" if _text(config, view) != _text(config, others[view.id]) else " "
            yield f"{sign} {indent}{_text(config, view)}"
            yield from lines(view.id, indent + "   ")

    drawn = list(lines(ROOT, ""))
    return drawn or ["  (empty)"]


def _text(config: Config, view: NodeView) -> str:
    namespace = f"{view.namespace}:" if view.namespace else ""
    parts = [f"{namespace}[{' '.join(map(str, view.segment))}]"]
    for component in config.components:
        on = [name for name, pool in (("device", Pool(component)), ("host", Pool(component + 2))) if view.slots[pool] is not None]
        absent = "nowhere" if component is Component.FULL else "tombstone"
        locked = f" (locked x{view.locks[component]})" if view.locks[component] else ""
        parts.append(f"{component.name} {'+'.join(on) or absent}{locked}")
    if view.pending:
        parts.append("backup in flight")
    return "  ".join(parts)

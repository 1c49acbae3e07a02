"""What a history shows as it is run, step by step: to be compared with another run of the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from radixproof.impl.observation import ROOT, NodeView
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.config import POOLS, Config
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Crashed, Outcome
from radixproof.properties.running.run import Run, ends


@dataclass(frozen=True, slots=True)
class Shown:
    """What one step showed.

    Names that a system may give as it likes are left out: numbers of nodes and of slots, and the
    messages of errors.
    """

    outcome: str
    breaches: tuple[str, ...]
    """Signatures."""
    nodes: frozenset[str] = field(default=frozenset(), repr=False)
    """Every node in words, by its place in the tree."""
    found: tuple[Breach, ...] = field(default=(), repr=False, compare=False)
    """The breaches themselves, whose texts have such names in them."""


def trace(target: Target, history: History) -> Iterator[Shown]:
    """Run a history with every step looked at, as far as the judge can follow."""
    run = Run(target, history.config, every=1)
    try:
        for operation in history.operations:
            breaches = run.step(operation)
            signatures = tuple(breach.signature for breach in breaches)
            nodes = frozenset(_nodes(history.config, run.nodes))
            yield Shown(_words(run.steps[-1].outcome), signatures, nodes, tuple(breaches))
            if any(map(ends, breaches)):
                return
    finally:
        run.close()


def _words(outcome: Outcome) -> str:
    if isinstance(outcome, Crashed):
        return f"{outcome.error} in {outcome.where}"
    return str(outcome) or "done"


def _nodes(config: Config, nodes: dict[int, NodeView]) -> Iterator[str]:
    for view in nodes.values():
        path, above = list(view.segment), view
        while (parent := nodes.get(above.parent)) is not None and above.parent != ROOT:
            path[:0], above = parent.segment, parent
        held = " ".join(pool.name for pool in POOLS if view.slots[pool] is not None) or "nothing"
        marks = " ".join(
            f"{name} {value}"
            for name, value in (
                ("locks", view.locks),
                ("host locks", view.host_locks),
                ("backup in flight", view.pending),
                ("load-back in flight", view.loading),
            )
            if value and any(value if isinstance(value, tuple) else (value,))
        )
        shared = path[: len(path) - len(view.segment)]
        words = " ".join(map(str, shared)), " ".join(map(str, view.segment))
        place = " | ".join(part for part in words if part)
        yield f"{view.namespace}[{place}] holds {held} {marks}".strip()

"""What happened, step by step: a history run once more, slowly, with the tree observed before and
after the bad step.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from radixproof.impl.observation import NodeView
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.verdict import Breach, Property
from radixproof.properties.performing.outcomes import Outcome
from radixproof.properties.performing.ranks import Ranks
from radixproof.properties.performing.step import Act
from radixproof.properties.running.run import Run
from radixproof.properties.search.finding import Finding

Tree = tuple[NodeView, ...]
"""Every node of the tree."""


@dataclass(frozen=True, slots=True)
class Narrative:
    """The steps up to the first breach of ``signature`` (or all of them), and the tree before and
    after the last step.
    """

    steps: tuple[tuple[Act, Outcome], ...]
    breach: Breach | None
    before: Tree
    after: Tree


def narrate(target: Target, history: History, signature: str | None) -> Narrative:
    """Run ``history`` with every step inspected. With a ``signature``, only that breach ends it;
    otherwise the first of any kind.
    """
    run = Run(target, history.config, every=1)
    before: Tree = ()
    after: Tree = ()
    try:
        for operation in history.operations:
            before = after
            breaches = run.step(operation)
            after = _tree(run, breaches)
            for breach in breaches:
                if signature in (None, breach.signature):
                    return Narrative(_steps(run), breach, before, after)
        return Narrative(_steps(run), None, before, after)
    finally:
        run.close()


def retold(target: Target, finding: Finding) -> Narrative:
    """How a finding went; with the breach that was seen first if it is not seen again."""
    told = narrate(target, finding.history, finding.signature)
    return told if told.breach is not None else replace(told, breach=finding.verdict.breach)


def _tree(run: Run, breaches: list[Breach]) -> Tree:
    """Every node as it is now. After a crash, and where ranks differ, the judge has made no
    observation: then what rank 0 shows.
    """
    if any(breach.violates in (Property.NOCRASH, Property.RANK) for breach in breaches):
        ranks = run.system.systems if isinstance(run.system, Ranks) else [run.system]
        with suppress(Exception):  # of a cache that may be broken
            return ranks[0].observe(True).nodes
    return tuple(run.nodes.values())


def _steps(run: Run) -> tuple[tuple[Act, Outcome], ...]:
    return tuple((step.operation, step.outcome) for step in run.steps)

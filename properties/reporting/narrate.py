"""What happened, step by step: a history run once more, slowly, with the tree observed before and
after the bad step.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

from radixproof.impl.observation import NodeView
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.config import Pool
from radixproof.model.verdict import Breach, Property
from radixproof.properties.performing.crash import crash, is_of_the_system
from radixproof.properties.performing.outcomes import Crashed, Outcome
from radixproof.properties.performing.step import Act
from radixproof.properties.reporting.child import Died, can_fork, in_fork
from radixproof.properties.reporting.tree_text import Holders
from radixproof.properties.running.run import Run
from radixproof.properties.search.budget import STEP_SECONDS
from radixproof.properties.search.finding import Finding

LOOK = ceil(STEP_SECONDS)
"""Seconds that a broken system may take to show what it has."""

Tree = tuple[NodeView, ...]
"""Every node of the tree."""


@dataclass(frozen=True, slots=True)
class Narrative:
    """The steps up to the first breach of ``signature`` (or all of them), and the tree before the
    first and after each.
    """

    steps: tuple[tuple[Act, Outcome], ...]
    breach: Breach | None
    trees: tuple[Tree, ...]
    parts: tuple[tuple[Act, Outcome], ...] = ()
    """What the last step consisted of."""
    holders: tuple[Holders | None, ...] = (None, None)
    """Who has locked what, before the last step and after it."""
    started: tuple[tuple[str, ...], ...] = ()
    """Of each step, the copies that it started and that are in flight after it, by the rules."""
    blind: str = ""
    """What came of the attempt to look at the tree after the last step, where that failed."""

    @property
    def before(self) -> Tree:
        """The tree before the last step."""
        return self.trees[-2] if len(self.trees) > 1 else ()

    @property
    def after(self) -> Tree:
        """The tree after the last step."""
        return self.trees[-1]

    def came_back(self) -> list[str]:
        """What came back from each step; with the copies that it started, if somebody who reads on
        meets their names: where the tree is drawn, or in what is said to be wrong.
        """
        locks = [held.values() for tree in self.holders for held in (tree or {}).values()]
        drawn = {name for pools in locks for names in pools for name in names}
        text = "" if self.breach is None else self.breach.text
        came = []
        for (_, outcome), started in zip(self.steps, self.started, strict=True):
            named = [one for one in started if one in drawn or re.search(rf"\b{one}\b", text)]
            came.append(f"{outcome} ({', '.join(named)})".lstrip() if named else str(outcome))
        return came

    @property
    def last(self) -> str:
        """The name of the operation at which it ends."""
        return self.steps[-1][0].name if self.steps else ""

    @property
    def parts_apart(self) -> tuple[tuple[Act, Outcome], ...]:
        """What the last step consisted of, if that was several steps, or another one."""
        alone = len(self.parts) == 1 and self.parts[0][0] == self.steps[-1][0]
        return () if alone else self.parts

    @property
    def ended(self) -> bool:
        """Whether the last step has ended a process, so that nobody could look after it."""
        outcome = self.steps[-1][1] if self.steps else None
        return isinstance(outcome, Crashed) and outcome.fatal

    @property
    def unseen(self) -> str:
        """Why nobody has seen the tree after the last step: a sentence, if that is so."""
        if self.ended:
            return "It has ended the process: nobody could look at the tree."
        return self.blind and f"The tree after it cannot be shown: a look at it {self.blind}."


def narrate(
    target: Target,
    history: History,
    signature: str | None,
    on_step: Callable[[], None] = lambda: None,
    trees_kept: int | None = None,
) -> Narrative:
    """Run ``history`` with every step inspected. With a ``signature``, only that breach ends it;
    otherwise the first of any kind. ``on_step`` is called after each. Of the trees only the last
    are kept, if a number is given: those of a long history in a large cache take much memory.
    """
    run = Run(target, history.config, every=1)
    trees = deque[Tree]([()], trees_kept)
    holders = deque[Holders | None]([{}, {}], 2)
    started: list[tuple[str, ...]] = []
    found: Breach | None = None
    blind = ""
    try:
        for operation in history.operations:
            copies = run.judge.model.copies
            flying = copies.flying[:]
            breaches = run.step(operation)
            if run.judge.model.copies is not copies:  # reset: they are numbered anew
                copies, started = run.judge.model.copies, [()] * len(started)
            new = [copy for copy in copies.flying if copy not in flying]
            started.append(tuple(str(copy.holder) for copy in new))
            tree, blind = _tree(run, breaches)
            trees.append(tree)
            holders.append(None if _is_apart(breaches) else _holders(run))
            on_step()
            wanted = (one for one in breaches if signature in (None, one.signature))
            found = next(wanted, None)
            if found is not None:
                break
        steps = tuple((step.operation, step.outcome) for step in run.steps)
        parts = tuple((part.operation, part.outcome) for part in run.last_parts)
        return Narrative(steps, found, tuple(trees), parts, tuple(holders), tuple(started), blind)
    finally:
        run.close()


def retold(target: Target, finding: Finding) -> Narrative:
    """How a finding went; with the breach that was seen first if it is not seen again."""
    told = narrate(target, finding.history, finding.signature)
    return told if told.breach is not None else replace(told, breach=finding.verdict.breach)


def _holders(run: Run) -> Holders:
    """Who has locked the end of each node, by the rules."""
    found: dict[int, dict[Pool, list[str]]] = {}
    node_of = run.judge.abstraction.node_of
    for holder, pools in run.judge.model.receipts.items():
        for pool, pages in pools.items():
            for page in pages:
                if page.cut and page in node_of:
                    found.setdefault(node_of[page], {}).setdefault(pool, []).append(str(holder))
    return found


def _is_apart(breaches: list[Breach]) -> bool:
    """Whether the model has not followed the last step: it raised, or ranks differ."""
    return any(breach.violates in (Property.NOCRASH, Property.RANK) for breach in breaches)


def _tree(run: Run, breaches: list[Breach]) -> tuple[Tree, str]:
    """Every node as it is now. After a crash, and where ranks differ, the judge has made no
    observation: then what rank 0 shows, or what was seen last, and why that is all.
    """
    shown = _shown(run) if _is_apart(breaches) else tuple(run.nodes.values())
    return (tuple(run.nodes.values()), shown.how) if isinstance(shown, Died) else (shown, "")


def _shown(run: Run) -> Tree | Died:
    """What a system shows that may be broken: to look at it may hang, or end the process, and is
    done in a fork.
    """
    if can_fork():
        return in_fork(partial(_look, run), LOOK)
    try:
        return _look(run)
    except BaseException as error:
        if not is_of_the_system(error):
            raise
        return Died(f"raises {crash(error)}")


def _look(run: Run) -> Tree:
    system: Any = run.systems[0]
    nodes: Tree = system.observe(True).nodes
    return nodes

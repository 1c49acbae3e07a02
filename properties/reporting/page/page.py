"""The page of a finding: one file, which needs no network, and no script to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from radixproof import __version__
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.judging.spelling import by_prefix
from radixproof.properties.reporting import rules
from radixproof.properties.reporting.effects import effect
from radixproof.properties.reporting.narrate import Narrative, Tree
from radixproof.properties.reporting.page.boxes import Drawn, changes, differences, draw
from radixproof.properties.reporting.page.expected import Expected, by_the_rules
from radixproof.properties.reporting.page.templates import HERE, fill
from radixproof.properties.reporting.report import describe

T = TypeVar("T")
TEMPLATE = HERE / "page.html.j2"
STEPS = 100
"""Most steps that are drawn: the last ones."""


class Step(NamedTuple):
    """An operation, what came back, what it did, and the tree after it."""

    number: int
    operation: str
    outcome: str
    effect: str
    parts: tuple[str, ...]
    tree: Drawn | None
    """None: as it was."""
    unseen: str = ""
    """Why nobody could look at the tree."""


class Compared(NamedTuple):
    """The tree that the rules want after the last step, and that of the system."""

    wanted: Drawn
    seen: Drawn


@dataclass(frozen=True, slots=True)
class Account:
    """All that is told of a history. Plain data."""

    system: str
    config: Config
    told: Narrative
    wanted: Expected | None
    """After the last step, by the rules; None where nothing can be said."""
    history: str
    """As JSON."""
    replay: str = ""
    """The command that shows it again."""

    @property
    def breach(self) -> Breach | None:
        return self.told.breach


def account(target: Target, history: History, told: Narrative, replay: str = "") -> Account:
    """What is to be told of a history that went as ``told``: with what the rules wanted instead, if
    something was wrong.
    """
    wanted = None
    breach = told.breach
    if breach is not None and not told.ended and breach.violates is not Property.NOCRASH:
        operations = history.operations[: len(told.steps)]
        start = History(history.config, operations, history.origin)
        wanted = by_the_rules(target, start) if operations else None
    shown = replace(told, trees=told.trees[-STEPS - 1 :])
    return Account(target.name, history.config, shown, wanted, to_json(history), replay)


def html(of: Account) -> str:
    """The whole page."""
    steps, compared = steps_of(of), comparison(of)
    trees = [tree for tree in (*(step.tree for step in steps), *(compared or ())) if tree]
    wrong = of.breach
    quoted = [] if wrong is None else rules.of_signature(wrong.signature, of.told.last)
    parts: dict[str, Any] = {
        "of": of,
        "breach": of.breach,
        "rules": [(rule, paragraphs(rule.text)) for rule in quoted],
        "configuration": describe(of.config),
        "steps": steps,
        "last": len(of.told.steps),
        "compared": compared,
        "boxes": _numbered(box for tree in trees for box, _ in tree.boxes),
        "edges": _numbered(tree.edges for tree in trees),
        "version": __version__,
    }
    return fill(TEMPLATE, parts)


def steps_of(of: Account) -> list[Step]:
    """The steps of a history of which the trees are known, each with its tree if that changed."""
    told = of.told
    count = len(told.trees) - 1
    first = len(told.steps) - count + 1
    came = told.came_back()
    return [
        _step(of, number, came[number - 1], told.trees[at], told.trees[at + 1], drawn=at == 0)
        for at, number in enumerate(range(first, first + count))
    ]


def _step(of: Account, number: int, came: str, before: Tree, after: Tree, drawn: bool) -> Step:
    """One of them; its tree is ``drawn`` even if it has not changed."""
    operation, outcome = of.told.steps[number - 1]
    last = number == len(of.told.steps)
    marks, wrong = changes(of.config, before, after), _meant(of) if last else {}
    holders = of.told.holders[-1] if last else None
    parts = tuple(f"{part} → {back}" for part, back in of.told.parts_apart) if last else ()
    same = not (any(marks.values()) or wrong) and len(before) == len(after)
    return Step(
        number,
        str(operation),
        came,
        effect(operation, outcome, before, after),
        parts,
        None if same and not drawn else draw(of.config, after, marks, wrong, holders),
        of.told.unseen if last else "",
    )


def comparison(of: Account) -> Compared | None:
    """Both trees after the last step, if they differ."""
    if of.wanted is None:
        return None
    seen, (wanted, holders) = of.told.after, of.wanted
    lacks, has = (differences(of.config, one, two) for one, two in ((wanted, seen), (seen, wanted)))
    if not lacks and not has:
        return None
    return Compared(
        draw(of.config, wanted, {}, lacks, holders, as_wanted=True),
        draw(of.config, seen, {}, has, of.told.holders[-1]),
    )


def _meant(of: Account) -> dict[Key, set[str]]:
    """What is wrong in the tree after the last step: what the rules want otherwise, or else the
    node that the breach is about.
    """
    if of.wanted is not None and (wrong := differences(of.config, of.told.after, of.wanted.tree)):
        return wrong
    witness = None if of.breach is None else of.breach.witness
    if witness is None:
        return {}
    length = len(witness.prefix.tokens)
    for end in sorted(by_prefix(of.told.after), key=lambda end: len(end.tokens)):
        inside = end.tokens[:length] == witness.prefix.tokens
        if inside and end.namespace == witness.prefix.namespace:
            return {end: set()}
    return {}


def paragraphs(text: str) -> list[list[tuple[str, str]]]:
    """The paragraphs of a rule in pieces, each with its tag: ``strong``, ``em``, ``code`` or
    ``span``.
    """
    return [
        [
            (_TAGS.get(piece[: 2 if piece.startswith("**") else 1], "span"), piece.strip("*`"))
            if _MARKED.fullmatch(piece)
            else ("span", piece)
            for piece in _MARKED.split(" ".join(lines.split()))
            if piece
        ]
        for lines in re.split(r"\n\n|\n(?=- )", text)
    ]


_MARKED = re.compile(r"(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`)")
_TAGS = {"**": "strong", "*": "em", "`": "code"}


def _numbered(parts: Iterable[T]) -> dict[T, int]:
    """Each distinct part once, by number: a tree says only which stands where."""
    found: dict[T, int] = {}
    for part in parts:
        found.setdefault(part, len(found) + 1)
    return found

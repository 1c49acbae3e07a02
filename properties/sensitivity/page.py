"""A campaign of sabotage on paper: a page of Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from radixproof.impl.sabotage.planting import KINDS
from radixproof.properties.reporting import markdown_table
from radixproof.properties.sensitivity.cells import Cell, Result
from radixproof.properties.sensitivity.naming import name_of
from radixproof.properties.sensitivity.table import Score, Table, groups, of_kinds

FORMAT = 1
READING = """\
Our own cache does one small wrong thing, once, at one step of a history of the soak, in a situation
that the model knows; then it is right again. What is forbidden was settled for each kind before any
was tried, by a sentence of [semantics.md](semantics.md). A sabotage is *reported* if the rest of
that history, judged as in a search, has a breach; or *closely*, where only an inspection of the
whole after every step shows it, as in a replay; or *later*, where nothing whatever shows in that
history and where it goes on otherwise something does, and is reported. Left out are those after
which every observation, with all bytes, and every continuation that was tried, is that without
them. One sabotage counts in the cell of each situation that it is done in. *Soon* is the median and
the most of the steps from a sabotage to its report: 0 is the step itself."""


def markdown(kinds: Sequence[str], table: Table, results: Sequence[Result], each: int) -> str:
    """The page: the headline, the kinds, the cells below 100 %, the empty ones."""
    return "\n".join(
        [
            "# How sensitive the judge is",
            "",
            headline(table, results),
            "",
            READING,
            "",
            "## Kinds of sabotage",
            "",
            *markdown_table.table(KIND_HEAD, _kind_rows(kinds, table, of_kinds(results))),
            "",
            "## Cells below 100 %",
            "",
            *_below(table),
            "",
            f"## Cells with fewer than {each}",
            "",
            *_thin(table, each),
            "",
            "## What is done wrong, and what forbids it",
            "",
            *markdown_table.table(
                ("kind", "what is done wrong", "rule", "the sentence"),
                map(_forbidden, kinds),
            ),
            "",
        ]
    )


def headline(table: Table, results: Sequence[Result]) -> str:
    """The figures in two sentences."""
    whole = Score()
    for result in results:
        whole.add(result)
    complete = sum(score.complete for score in table.values())
    empty = sum(not score.counted for score in table.values())
    named = sum(not score.complete and name_of(cell) is not None for cell, score in table.items())
    return (
        f"Of {whole.counted:,} sabotages {whole.reported:,} are reported ({whole.share});"
        f" {whole.left_out:,} more changed nothing, and are left out. Of {len(table):,} cells"
        f" {complete:,} are at 100 %, {empty:,} are empty, and of those that are not at 100 %"
        f" {named:,} are named."
    )


KIND_HEAD = (
    "kind",
    "cells",
    "at 100 %",
    "empty",
    "sabotages",
    "reported",
    "closely",
    "later",
    "missed",
    "left out",
    "soon",
    "first by",
)


def _kind_rows(
    kinds: Sequence[str], table: Table, totals: Mapping[str, Score]
) -> Iterator[list[str]]:
    for name in kinds:
        cells = [score for cell, score in table.items() if cell.kind == name]
        one = totals.get(name, Score())
        verdicts = one.verdicts
        first = ", ".join(f"{by} {count:,}" for by, count in one.properties().most_common(3))
        yield [
            f"`{name}`",
            str(len(cells)),
            str(sum(score.complete for score in cells)),
            str(sum(not score.counted for score in cells)),
            f"{one.counted:,}",
            one.share,
            *(f"{verdicts[word]:,}" for word in ("closely", "later", "missed", "left out")),
            one.soon,
            first,
        ]


def _forbidden(name: str) -> list[str]:
    kind = KINDS[name]
    return [f"`{name}`", kind.wrong, kind.rule, kind.sentence]


def _below(table: Table) -> Iterator[str]:
    """What is not at 100 %, by the reason; what has none comes first."""
    below = [cell for cell, score in table.items() if score.counted and not score.complete]
    reasons: dict[str, list[Cell]] = {"": []}
    for cell in below:
        named = name_of(cell)
        reasons.setdefault("" if named is None else named.reason, []).append(cell)
    for reason, cells in reasons.items():
        if cells:
            yield f"### {reason[0].upper() + reason[1:] if reason else 'Not named yet'}"
            yield ""
            yield from markdown_table.table(
                ("kind", "component", "policy", "situations"), _grouped(cells, table)
            )
            yield ""


def _grouped(cells: Sequence[Cell], table: Table) -> Iterator[list[str]]:
    for (kind, component, policy), alike in groups(cells).items():
        shares = (f"{cell.situation.value} {_of(table[cell])}" for cell in alike)
        yield [f"`{kind}`", component, policy, "; ".join(shares)]


def _of(score: Score) -> str:
    return f"{score.reported}/{score.counted}"


def _thin(table: Table, each: int) -> Iterator[str]:
    """Cells with too few sabotages to say much; 0 counts as missed."""
    thin = [cell for cell, score in table.items() if score.counted < each]
    rows = (
        [f"`{kind}`", component, policy, "; ".join(_few(cell, table[cell]) for cell in alike)]
        for (kind, component, policy), alike in groups(thin).items()
    )
    yield from markdown_table.table(("kind", "component", "policy", "sabotages"), rows)


def _few(cell: Cell, score: Score) -> str:
    return f"{cell.situation.value} {score.counted}"


def as_json(table: Table) -> str:
    """Every cell, a line each."""
    lines = [json.dumps(_cell(cell, score)) for cell, score in table.items()]
    body = ",\n  ".join(lines)
    return f'{{"format": {FORMAT}, "cells": [\n  {body}\n]}}\n'


def _cell(cell: Cell, score: Score) -> dict[str, object]:
    return {
        "kind": cell.kind,
        "component": cell.component.name,
        "policy": cell.policy.value,
        "situation": cell.situation.value,
        "sabotages": score.counted,
        **dict(sorted(score.verdicts.items())),
        "soon": score.soon,
        "first": dict(sorted(score.first.items())),
    }

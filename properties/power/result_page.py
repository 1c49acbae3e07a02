"""A campaign on paper: a page of Markdown for people, JSON for programs, and a chart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from radixproof.impl.faults import FAULTS
from radixproof.properties.power.compared_drivers import DRIVERS
from radixproof.properties.power.scores import (
    BASELINE,
    HEADLINE,
    Score,
    ScoreTable,
    drivers_of,
    firsts,
    ratio,
)
from radixproof.properties.power.steps_chart import chart
from radixproof.properties.reporting import markdown_table
from radixproof.properties.reporting.wording import plural

FORMAT = 1
DRIVER_HEAD = (
    "driver",
    "what it is",
    "seeds",
    "every seed",
    "some",
    "never",
    "steps",
    "seconds",
    "ops",
    "ratio",
)
READING = """\
Faults found with every seed, with some, never. Steps, seconds and operations of the shortest
history are medians over the faults that the driver finds. The ratio is of steps, baseline over
driver, median over all faults; what is not found counts as the whole budget."""


# -- Markdown ------------------------------------------------------------------------------------


def markdown(table: ScoreTable, budget: int) -> str:
    """The page: the headline, the drivers, the properties, every fault."""
    names, first = drivers_of(table), firsts(table)
    first_of = {fault: name for name, faults in first.items() for fault in faults}
    scale = f"{plural(len(table), 'planted fault')}, at most {budget:,} steps a search."
    lines = [
        *(
            "# The power of the harness",
            "",
            f"{headline(table)} {scale}",
            "",
            "![Faults found after so many steps](power.svg)",
            "",
        ),
        *markdown_table.table(DRIVER_HEAD, _driver_rows(table)),
        *("", READING, "", "## The property that reports first", ""),
        *markdown_table.table(
            ("property", "first for", "faults"),
            ([name, str(len(of)), ", ".join(of)] for name, of in first.items()),
        ),
        *(
            "",
            "## Every fault",
            "",
            "Seeds with which it was found; median steps and seconds; operations of the shortest"
            " history.",
            "",
        ),
        *markdown_table.table(
            ["fault", "expected", "first", *names],
            (_fault_row(fault, table[fault], first_of, names) for fault in table),
        ),
        *_failures(table),
    ]
    return "\n".join(lines) + "\n"


def headline(table: ScoreTable) -> str:
    """The ratio in a sentence, with what stands behind it."""
    found = ratio(table, HEADLINE)
    if found is None:
        return f"No ratio: it needs the drivers {BASELINE} and {HEADLINE}."
    both = (
        f" Over the faults that both find, it is {found.of_both:,.1f}."
        if found.of_both is not None
        else ""
    )
    return (
        f"The {HEADLINE} finds a fault in {found.median:,.1f} times fewer steps than the"
        f" {BASELINE}: the median over {plural(found.faults, 'fault')}, of which"
        f" {found.baseline_never} that the {BASELINE} never finds and {found.never} that the"
        f" {HEADLINE} never finds count as the whole budget.{both}"
    )


def _driver_rows(table: ScoreTable) -> Iterator[list[str]]:
    for name in drivers_of(table):
        mine = [row[name] for row in table.values() if name in row]
        always, never = (
            sum(one.found == one.seeds for one in mine),
            sum(not one.found for one in mine),
        )
        counts = [
            str(max(one.seeds for one in mine)),
            str(always),
            str(len(mine) - always - never),
            str(never),
        ]
        costs = [
            _median(mine, lambda one: one.steps, ",.0f"),
            _median(mine, lambda one: one.seconds, ".1f"),
        ]
        ops, found = _median(mine, lambda one: one.operations, ".0f"), ratio(table, name)
        yield [
            name,
            DRIVERS[name].sentence,
            *counts,
            *costs,
            ops,
            f"{found.median:,.1f}" if found else "",
        ]


def _median(mine: Sequence[Score], figure: Callable[[Score], float | None], form: str) -> str:
    figures = [value for one in mine if (value := figure(one)) is not None]
    return format(median(figures), form) if figures else ""


def _fault_row(
    fault: str, row: Mapping[str, Score], first: Mapping[str, str], names: Sequence[str]
) -> list[str]:
    expected = FAULTS[fault].sees.label if fault in FAULTS else ""
    return [
        fault,
        expected,
        first.get(fault, ""),
        *(str(row[name]) if name in row else "" for name in names),
    ]


def _failures(table: ScoreTable) -> Iterator[str]:
    failed = [
        (fault, name, one.errors[0])
        for fault, row in table.items()
        for name, one in row.items()
        if one.errors
    ]
    if failed:
        yield from ("", "## Trials that could not be run", "")
        yield from (f"- {fault}, {name}: {error}" for fault, name, error in failed)


# -- JSON and chart ------------------------------------------------------------------------------


def as_json(table: ScoreTable, budget: int) -> str:
    """The same for programs, a fault and driver a line."""
    ratios = {
        name: asdict(found)
        for name in drivers_of(table)
        if (found := ratio(table, name)) is not None
    }
    head: dict[str, Any] = {
        "radixproof": FORMAT,
        "budget": budget,
        "ratios": ratios,
        "first": firsts(table),
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    faults = []
    for fault, row in table.items():
        drivers = ",\n".join(
            f"      {json.dumps(name)}: {json.dumps(asdict(one))}" for name, one in row.items()
        )
        faults.append(f"    {json.dumps(fault)}: {{\n{drivers}\n    }}")
    return "{\n" + "\n".join(lines) + '\n  "faults": {\n' + ",\n".join(faults) + "\n  }\n}\n"


def as_chart(table: ScoreTable, budget: int) -> str:
    """How many faults each driver has found after how many steps (median over seeds)."""
    found = {
        name: [row[name].cost for row in table.values() if name in row and row[name].found]
        for name in drivers_of(table)
    }
    return chart("Faults found after so many steps", found, len(table), budget)


def found_before(text: str, drivers: Iterable[str]) -> set[str]:
    """Faults that any of these drivers finds with every seed, by an earlier campaign's JSON.

    Raises ValueError.
    """
    try:
        faults = json.loads(text)["faults"]
        rows = {
            fault: [row[name] for name in drivers if name in row] for fault, row in faults.items()
        }
        return {
            fault for fault, row in rows.items() if any(one["found"] == one["seeds"] for one in row)
        }
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"not the JSON of a campaign ({type(error).__name__}: {error})") from None

"""``radixproof sensitivity``: which sabotage of a single step is reported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixproof.impl.system import Unavailable
from radixproof.properties.cli.arguments import (
    add_campaign,
    at_least_one,
    histories,
    named,
    whole,
)
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN
from radixproof.properties.cli.records import earlier
from radixproof.properties.cli.streams import complain
from radixproof.properties.histories.durable import write_file

if TYPE_CHECKING:
    from radixproof.properties.sensitivity.cells import Result, Sabotage

RECORD = "sabotages.jsonl"
HISTORIES = 1600
"""Of every policy a quarter."""
ROUNDS = 4
"""How often cells are filled up for what was left out of them."""


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "sensitivity",
        help="measure which sabotage of a single step is reported",
        description="Let our own cache do one small wrong thing at one step of a history, of every"
        " kind and in every situation; write which of it is reported.",
    )
    parser.add_argument(
        "--kinds", nargs="+", metavar="NAME", help="these kinds of sabotage only (default: all)"
    )
    parser.add_argument(
        "--histories",
        type=histories,
        metavar="N",
        help=f"histories that can be sabotaged (default: {HISTORIES})",
    )
    parser.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="of these histories (default: 1)"
    )
    parser.add_argument(
        "--limit",
        type=at_least_one,
        default=50,
        metavar="N",
        help="sabotages that each cell is to have (default: 50)",
    )
    add_campaign(
        parser,
        "build/sensitivity",
        "processes at a time; the table is the same",
        "add to the sabotages in FOLDER, made with the same code",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.impl.sabotage import KINDS
    from radixproof.properties.sensitivity import page, table
    from radixproof.properties.sensitivity.campaign import CampaignError

    kinds = sorted(named(options.kinds, KINDS, "kind of sabotage"))
    try:
        results = [one for one in _campaign(options, kinds) if one.sabotage.kind in kinds]
    except CampaignError as error:
        complain(error)
        return CANNOT_RUN
    scores = table.table(kinds, results)
    write_file(options.out / "sensitivity.md", page.markdown(kinds, scores, results, options.limit))
    write_file(options.out / "sensitivity.json", page.as_json(scores))
    print(page.headline(scores, results))
    print(f"Written to {options.out}: sensitivity.md, sensitivity.json")
    return CLEAN


def _campaign(options: argparse.Namespace, kinds: Sequence[str]) -> list[Result]:
    """Fill all cells, as far as the histories go; returns everything then in the record."""
    from radixproof.properties.sensitivity import campaign, record

    file = options.out / RECORD
    results = earlier(record.read, file, options.resume)
    options.out.mkdir(parents=True, exist_ok=True)
    possible: list[Sabotage] = []
    with closing(
        campaign.scouted(options.seed, options.histories or HISTORIES, kinds, options.jobs)
    ) as stories:
        for found in stories:
            possible += found
    for _ in range(ROUNDS):
        todo = campaign.chosen(possible, results, options.limit)
        if not todo:
            break
        _filled(todo, results, file, options.jobs)
    return results


def _filled(todo: Sequence[Sabotage], results: list[Result], file: Path, jobs: int) -> None:
    """Try these, and write down what became of them."""
    from radixproof.properties.cli.progress import CountProgress
    from radixproof.properties.sensitivity import campaign, record

    left = len(todo)
    try:
        with (
            file.open("a") as stream,
            closing(campaign.tried(todo, jobs)) as some,
            CountProgress("sabotages", len(todo)) as show,
        ):
            for more in some:
                stream.writelines(map(record.line, more))
                stream.flush()
                results += more
                left -= len(more)
                show(len(todo) - left)
    except KeyboardInterrupt:
        done = f"{len(todo) - left} of {len(todo)} sabotages"
        raise Unavailable(
            f"interrupted after {done}, kept in {file}: go on with --resume"
        ) from None

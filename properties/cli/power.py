"""``radixproof power``: how fast each driver finds each planted bug."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixproof.impl import registry
from radixproof.impl.system import Unavailable
from radixproof.properties.cli.arguments import MOST_SEEDS, add_campaign, named, seeds
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, UsageError
from radixproof.properties.cli.records import earlier
from radixproof.properties.histories.durable import write_file
from radixproof.properties.search.budget import PROFILES

if TYPE_CHECKING:
    from radixproof.properties.power.scores import ScoreTable
    from radixproof.properties.power.trials import TrialResult
    from radixproof.properties.workers.shard import Shard

RECORD = "trials.jsonl"
DRIVERS = ("baseline", "machine", "soak", "explorer", "corpus", "others")
"""For the help text, which must not wait for the drivers themselves."""


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "power",
        help="measure how fast planted bugs are found",
        description="Measure how fast each driver finds each planted bug;"
        " write a page, JSON and a chart.",
    )
    _add_what(parser)
    _add_how(parser)
    parser.set_defaults(run=run)


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--faults",
        nargs="+",
        metavar="NAME",
        help="these only (default: all; see 'radixproof faults')",
    )
    parser.add_argument(
        "--drivers",
        nargs="+",
        metavar="NAME",
        help=f"these only (default: all: {', '.join(DRIVERS)})",
    )
    parser.add_argument(
        "--seeds",
        type=seeds,
        default=3,
        metavar="N",
        help=f"seeds 1 to N (default: 3; at most {MOST_SEEDS:,})",
    )
    parser.add_argument(
        "--profile",
        choices=("dev", "ci"),
        default="ci",
        help="profile that sets the steps of each search (default: ci)",
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    add_campaign(
        parser,
        "build/power",
        "searches at a time",
        "add to the trials in FOLDER, made with the same code; the page covers all of them",
    )
    parser.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="JSON of an earlier campaign: exit with 1 if a fault found there is missed",
    )


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.power import result_page, scores, trials
    from radixproof.properties.power.compared_drivers import DRIVERS as drivers

    steps = PROFILES[options.profile].steps
    faults = [registry.planted_in(name) or name for name in options.faults or ()]
    names = named(faults, registry.planted_faults(), "fault")
    chosen = named(options.drivers, drivers, "driver")
    expected = _expected(options.expect, chosen)
    wanted = trials.all_trials(sorted(names), chosen, options.seeds, steps)
    done = _campaign(wanted, options.out, options.jobs, options.resume)
    table = scores.score_table(done)
    _write(options.out, table, steps)
    files = "power.md, power.json, power.svg"
    print(f"{result_page.headline(table)}\nWritten to {options.out}: {files}")
    failed = [one for one in done if one.error]
    for one in failed:
        print(f"radixproof: {_named(one)}: {one.error}", file=sys.stderr)
    found = {fault for fault, row in table.items() if any(one.found for one in row.values())}
    missed = sorted((expected & set(table)) - found)
    if missed:
        print(f"Missed, though {options.expect} lists them as found: {', '.join(missed)}")
        return FOUND
    return CANNOT_RUN if failed else CLEAN


def _named(one: TrialResult) -> str:
    return f"{one.fault}, {one.trial.driver}, seed {one.trial.seed}"


def _expected(file: Path | None, drivers: Iterable[str]) -> set[str]:
    from radixproof.properties.histories.reading import UnreadableFile, text_of
    from radixproof.properties.power.result_page import found_before
    from radixproof.properties.workers.record import MOST_BYTES

    if file is None:
        return set()
    try:
        return found_before(text_of(file, MOST_BYTES), drivers)
    except UnreadableFile as error:
        raise UsageError(str(error)) from None
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None


def _campaign(wanted: Sequence[Shard], out: Path, jobs: int, resume: bool) -> list[TrialResult]:
    """Run the trials that are not in the record yet, and write them there.

    Returns everything then in the record, all of the same budget.
    """
    from radixproof.properties.cli.progress import TrialProgress
    from radixproof.properties.power import trial_record, trials

    file = out / RECORD
    before = earlier(trial_record.read, file, resume)
    budgets = {trial.budget for trial in wanted}
    done = {one.trial: one for one in before if one.trial.budget in budgets and not one.error}
    todo = [trial for trial in wanted if trial not in done]
    left = len(todo)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with (
            file.open("a") as stream,
            closing(trials.measured(todo, min(jobs, len(todo)) or 1)) as results,
            TrialProgress(len(wanted), len(wanted) - left) as show,
        ):
            for one in results:
                stream.write(trial_record.line(one))
                stream.flush()
                done[one.trial] = one
                left -= 1
                show(_named(one), one)
    except KeyboardInterrupt:
        ran = f"{len(wanted) - left} of {len(wanted)} trials"
        raise Unavailable(f"interrupted after {ran}, kept in {file}: go on with --resume") from None
    return list(done.values())


def _write(out: Path, table: ScoreTable, steps: int) -> None:
    from radixproof.properties.power import result_page

    write_file(out / "power.md", result_page.markdown(table, steps))
    write_file(out / "power.json", result_page.as_json(table, steps))
    write_file(out / "power.svg", result_page.as_chart(table, steps))

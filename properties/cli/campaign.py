"""``radixproof campaign``: search many systems with many seeds, for hours."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixproof.impl.system import Unavailable
from radixproof.properties.cli import arguments, output_file, searches
from radixproof.properties.cli.exit_codes import CANNOT_RUN, CLEAN, FOUND, IN_WORDS, UsageError
from radixproof.properties.cli.streams import complain
from radixproof.properties.reporting.wording import plural
from radixproof.properties.search.budget import PROFILES

if TYPE_CHECKING:
    from radixproof.properties.campaigns.overview import Searched
    from radixproof.properties.campaigns.plan import Plan
    from radixproof.properties.campaigns.store import Store
    from radixproof.properties.workers.lane import Event
    from radixproof.properties.workers.shard import Shard

STORE, PAGE, FINDINGS = "campaign.sqlite", "campaign.html", "findings"


def add(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser = commands.add_parser(
        "campaign",
        help="search systems with many seeds, for hours",
        description="Search every system with every seed, and keep what is found in a store:"
        " it may be interrupted, or killed, and gone on with.",
        epilog=IN_WORDS,
    )
    parser.add_argument("systems", nargs="+", metavar="SYSTEM", help="as with 'radixproof check'")
    parser.add_argument(
        "--seeds",
        type=arguments.seeds,
        default=10,
        metavar="N",
        help="seeds for each system (default: 10)",
    )
    parser.add_argument(
        "--seed", type=arguments.whole, default=1, metavar="N", help="the first (default: 1)"
    )
    parser.add_argument(
        "--steps",
        type=arguments.at_least_one,
        default=PROFILES["ci"].steps,
        metavar="N",
        help=f"steps with each seed (default: {PROFILES['ci'].steps:,})",
    )
    parser.add_argument(
        "--seconds", type=arguments.seconds, metavar="N", help="end after N seconds"
    )
    arguments.add_step_seconds(parser)
    arguments.add_known(parser)
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="search on a Ray cluster that is running, 'auto' or HOST:PORT, in place of -j",
    )
    arguments.add_campaign(
        parser, "campaign", "processes at a time", "go on with the campaign in FOLDER"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from radixproof.properties.campaigns.store import Store, StoreError

    started = time.monotonic()
    names = list(dict.fromkeys(options.systems))
    searches.look_up_all(names, options.step_seconds)
    plan = _plan(options, names)
    file = options.out / STORE
    if file.exists() and not options.resume:
        raise UsageError(
            f"{file} is the store of an earlier campaign: go on with --resume, or choose another"
            " folder with --out"
        )
    try:
        store = Store(file, plan.description)
    except StoreError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise Unavailable(f"cannot write to {options.out}: {error.strerror}") from None
    with store:
        campaign = _Campaign(store, plan.shards(options.out / FINDINGS), options.out)
        left = searches.seconds_left(options, started)
        try:
            with closing(_searched(campaign.todo, options, left)) as events:
                campaign.follow(events)
        except KeyboardInterrupt:
            complain("interrupted")
        finally:
            systems = campaign.write()
        return _told(systems, len(campaign.left), options.out)


def _searched(
    shards: Sequence[Shard], options: argparse.Namespace, seconds: float | None
) -> Generator[Event, None, None]:
    """All that the searches tell, here or on a cluster."""
    if options.ray is not None:
        from radixproof.properties.workers.cluster import search_on_cluster

        return search_on_cluster(shards, options.ray, seconds)
    from radixproof.properties.workers.side_by_side import search_all

    return search_all(shards, options.jobs, seconds)


def _plan(options: argparse.Namespace, names: Sequence[str]) -> Plan:
    from radixproof.properties.campaigns.plan import Plan

    known, today = searches.known_in(options.known), date.today()
    passed_over = {name: tuple(known.for_system(name, today)) for name in names}
    return Plan(
        tuple(names),
        options.seed,
        options.seeds,
        options.steps,
        passed_over,
        options.step_seconds,
    )


class _Campaign:
    """The shards that are still to be run, and where what comes of them is kept."""

    def __init__(self, store: Store, shards: Sequence[Shard], out: Path) -> None:
        self.store, self.out = store, out
        done = {(one.seed, one.system) for one in store.shards() if not one.failure}
        self.todo = [shard for shard in shards if (shard.seed, shard.system) not in done]
        self.left = set(self.todo)
        self.all = len(shards)

    def follow(self, events: Iterator[Event]) -> None:
        """Keep what comes, and show how far it is."""
        from radixproof.properties.cli.progress import Output, SearchProgress
        from radixproof.properties.search.progress import Progress
        from radixproof.properties.workers.lane import Failed, News

        console = Output(stderr=True, highlight=False, soft_wrap=True, emoji=False)
        with SearchProgress(console, self.all, self.all - len(self.todo), "shards") as shown:
            for event in events:
                shard = event.job
                if isinstance(event, News) and isinstance(event.news, Progress):
                    shown.show(str(shard), shard.budget.steps, event.news)
                elif self._keep(event):
                    shown.over(str(shard))
                    if shard not in self.left or isinstance(event, Failed):
                        self.write()

    def _keep(self, event: Event) -> bool:
        """Keep what an event says; returns whether its shard has come to an end."""
        from radixproof.properties.reporting.finding_folder import keep
        from radixproof.properties.workers.lane import Done, Failed, News
        from radixproof.properties.workers.searching import FindingReport
        from radixproof.properties.workers.side_by_side import Searched

        match event:
            case News(shard, FindingReport() as report):
                kept = keep(report.folder)
                self.store.found(shard, report)
                print(f"{shard}: {report.summary}\n{kept}", end="", flush=True)
                return False
            case Failed(shard, reason):
                self.store.fail(shard, reason)
                print(f"radixproof: {shard}: {reason}", file=sys.stderr)
                return True
            case Done(shard, Searched(progress, seconds)):
                if progress is not None and progress.complete:
                    self.store.finish(shard, progress, seconds)
                    self.left.discard(shard)
                return True
        return False

    def write(self) -> list[Searched]:
        """The page, as far as the campaign has come; returns what is on it."""
        from radixproof.properties.campaigns.overview import overview
        from radixproof.properties.campaigns.page import html

        systems = overview(self.store)
        output_file.write(self.out / PAGE, html(systems, len(self.left), self.out))
        return systems


def _told(systems: Sequence[Searched], left: int, out: Path) -> int:
    """Say what a campaign has come to; returns the exit code."""
    for one in systems:
        found = plural(len(one.findings), "finding") if one.findings else "nothing found"
        where = f"{plural(one.steps, 'step')} of {plural(one.shards, 'shard')}"
        print(f"{one.system}: {found} in {where}")
    if left:
        print(f"Still to be run: {plural(left, 'shard')}. Go on with --resume")
    print(f"Written to {out}: {PAGE}, {STORE}, {FINDINGS}")
    if any(one.findings for one in systems):
        return FOUND
    return CANNOT_RUN if left else CLEAN

"""Planted bugs and the small scopes: one scope in which each is found.

    python benchmarks/small_scopes.py [--jobs N] [--faults NAME ...] [--out FILE]

For each planted bug the scopes are tried that have the operations of its shortest history (that of
the corpus), the nearest first: the most alike configuration, then the fewest operations. Each is
explored to the depth that it has, and the first that finds something ends it; so do 15,000
transitions. Then those are tried that have most of the very operations, for 5,000 more. `--out`
gets a table in Markdown. A quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from radixproof.impl import registry
from radixproof.impl.operations import Evict, History, Operation, WritingCheck
from radixproof.impl.registry import planted_in
from radixproof.model.key import Key
from radixproof.properties.exploring.expanding import Expanded
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.exploring.sweep import by_length
from radixproof.properties.histories import corpus
from radixproof.properties.reporting.markdown_table import table
from radixproof.properties.search.search import calm_collector

NEAR, ALIKE = 15_000, 5_000
"""Transitions of one planted bug in scopes of either kind, after which it counts as not found."""
COLUMNS = ("planted bug", "scope", "operations", "transitions", "what is broken")


@dataclass(frozen=True, slots=True)
class Row:
    """What the scopes say of one planted bug. Without a ``scope`` they say nothing."""

    fault: str
    transitions: int
    """Judged until then, in all scopes that were tried."""
    scope: str = ""
    operations: int = 0
    signature: str = ""


def explored(fault: str, shortest: History) -> Row:
    """Explore a planted bug up to the first thing that is wrong."""
    calm_collector()
    target, transitions = registry.find(registry.named_after(fault)), 0
    for scopes, most in ((near(shortest), NEAR), (alike(shortest), ALIKE)):
        begun = transitions
        for scope in scopes:
            if transitions - begun > most:
                break
            for _, expanded in by_length(target, [scope]):
                transitions += len(expanded.moves)
                if expanded.broken:
                    return _found(fault, transitions, scope, expanded)
    return Row(fault, transitions)


def _found(fault: str, transitions: int, scope: SmallScope, expanded: Expanded) -> Row:
    shown = min(expanded.broken, key=lambda one: len(one.history.operations))
    length, signature = len(shown.history.operations), shown.breach.signature
    return Row(fault, transitions, scope.name, length, signature)


def alike(shortest: History) -> list[SmallScope]:
    """All scopes, those first that have most of the very operations of a history but for its
    evictions, with which every history ends: what is nearest may have them with other fields.
    """

    def missing(scope: SmallScope) -> tuple[int, bool, int]:
        wanted = {one for one in shortest.operations if not isinstance(one, Evict)}
        mine, its = shortest.config, scope.config
        same = (mine.components, mine.write_back, mine.hosted) == (
            its.components,
            its.write_back,
            its.hosted,
        )
        return len(wanted - set(scope.operations)), not same, len(scope.operations)

    return sorted(SCOPES.values(), key=missing)


def near(shortest: History) -> list[SmallScope]:
    """The scopes that have what a history does, in a configuration of that kind."""
    fitting = [scope for scope in SCOPES.values() if fits(shortest, scope)]
    return sorted(fitting, key=lambda scope: distance(shortest, scope))


def fits(shortest: History, scope: SmallScope) -> bool:
    mine, its = shortest.config, scope.config
    kinds = {type(one) for one in shortest.operations}
    if scope.settled:
        kinds.discard(WritingCheck)
    return (
        kinds <= {type(one) for one in scope.operations}
        and set(mine.components) <= set(its.components)
        and (mine.write_back, mine.eviction_policy, mine.bigram, mine.load_threshold)
        == (its.write_back, its.eviction_policy, its.bigram, its.load_threshold)
        and min(mine.threshold, 2) <= its.threshold
        and min(mine.page_size, 2) <= its.page_size
        and (mine.window or 0) <= (its.window or 0)
        and mine.ranks <= its.ranks
    )


def distance(shortest: History, scope: SmallScope) -> tuple[int, int, int]:
    """Components that the history does not need, difference of the longest prompts, operations."""
    more = len(scope.config.components) - len(shortest.config.components)
    pages = [
        max(len(key.tokens) // config.page_size for key in (Key(()), *keys_of(operations)))
        for config, operations in (
            (shortest.config, shortest.operations),
            (scope.config, scope.operations),
        )
    ]
    return more, abs(pages[0] - pages[1]), len(scope.operations)


def keys_of(operations: Sequence[Operation]) -> Iterator[Key]:
    for one in operations:
        key = getattr(one, "key", None)
        if isinstance(key, Key):
            yield key


def histories() -> dict[str, History]:
    """The shortest history of each planted bug that the corpus has one of."""
    entries = [(planted_in(entry.system), entry.history) for entry in corpus.read(corpus.FOLDER)]
    return {fault: history for fault, history in entries if fault}


def page(rows: Sequence[Row]) -> str:
    """The table, and what it comes to, in Markdown."""
    found = [row for row in rows if row.scope]
    scopes = Counter(row.scope for row in found)
    return "\n\n".join((
        "# Planted bugs in small scopes",
        f"{len(found)} of {len(rows)} planted bugs ({len(found) / len(rows):.1%}) are found in the"
        f" {len(SCOPES)} scopes of `radixproof explore --scopes`, {len(scopes)} of which are named"
        " here. Operations are those of the history as it was judged, what it is ended with"
        " included.",
        "\n".join(table(COLUMNS, map(_cells, rows))),
    ))  # fmt: skip


def _cells(row: Row) -> tuple[str, ...]:
    found = (row.scope, str(row.operations)) if row.scope else ("not found", "")
    return (row.fault, *found, f"{row.transitions:,}", row.signature)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--faults", nargs="+", default=sorted(registry.planted_faults()))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    shortest = histories()
    with ProcessPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(explored, fault, shortest[fault]) for fault in options.faults]
        for done in as_completed(jobs):
            rows.append(done.result())
            print(f"{len(rows)} of {len(options.faults)}: {rows[-1]}", file=sys.stderr)
    text = page(sorted(rows, key=lambda row: row.fault))
    if options.out:
        options.out.write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()

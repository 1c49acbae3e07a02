"""Mutation score: what share of small changes to a subject, one by one, is noticed.

Subjects are the core of our implementation (``impl``), whose changes the soak has to notice, and
the model (``model``), in which no rule may be dead. mutmut makes the changes, as ``SUBJECT.cfg``
says, and runs ``kill_SUBJECT.py`` on each. ``SUBJECT.toml`` lists the mutants that survive, and
why: those that nothing can tell from the original do not count, and those that what kills cannot
reach count as missed.

Run: ``make mutants``, or ``python benchmarks/mutants/score.py SUBJECT``; if interrupted, it resumes
where it stopped, in ``build/mutants``. Exit code 1 if the score is too low, or the list is wrong.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SUBJECTS = ("impl", "model")
LEAST = 0.95
KILLED = "killed"
COPIED = ("radixproof", "benchmarks", "corpus", "tests", "conftest.py", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: its function, as ``tree.Tree.split``, and the lines it removes and adds."""

    function: str
    before: str
    after: str

    @property
    def module(self) -> str:
        return self.function.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.function}\n  - {self.before}\n  + {self.after}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutation score of a subject.")
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="processes")
    options = parser.parse_args()
    os.chdir(_workplace(options.subject))
    run = [_mutmut(), "run", "--max-children", str(options.j)]
    subprocess.run(run, check=True, env=os.environ | {"PYTHONPATH": str(HERE)})
    results = dict(_results())
    survivors = [_shown(name) for name, status in results.items() if status != KILLED]
    listed = tomllib.loads((HERE / f"{options.subject}.toml").read_text())
    equivalent, beyond = _listed(listed["equivalent"]), _listed(listed["beyond"])
    print("\n".join(_table(results, survivors, equivalent)))
    score = (len(results) - len(survivors)) / (
        len(results) - len(equivalent.intersection(survivors))
    )
    unexplained = [mutant for mutant in survivors if mutant not in equivalent | beyond]
    stale = sorted((equivalent | beyond).difference(survivors), key=str)
    print(f"\nMutation score: {score:.1%} of those that are not equivalent")
    for title, mutants in (
        ("Missed, and not explained", unexplained),
        ("Listed, but it does not survive", stale),
    ):
        print(*(f"{title}: {mutant}" for mutant in mutants), sep="\n")
    return int(score < LEAST or bool(unexplained) or bool(stale))


def _workplace(subject: str) -> Path:
    """A folder for mutmut to work in, which has all that the project has, and the settings."""
    place = ROOT / "build" / "mutants" / subject
    place.mkdir(parents=True, exist_ok=True)
    links = {name: ROOT / name for name in COPIED} | {"setup.cfg": HERE / f"{subject}.cfg"}
    for name, target in links.items():
        (place / name).unlink(missing_ok=True)
        (place / name).symlink_to(target)
    return place


def _table(
    results: Mapping[str, str], survivors: Sequence[Mutant], equivalent: Set[Mutant]
) -> Iterator[str]:
    """Per module: all mutants, those killed, those that are equivalent, those missed."""
    yield from ("", "| module | mutants | killed | equivalent | missed |", f"|{'---|' * 5}")
    every = Counter(map(_module, results))
    same = Counter(mutant.module for mutant in survivors if mutant in equivalent)
    missed = Counter(mutant.module for mutant in survivors if mutant not in equivalent)
    for module, count in sorted(every.items()):
        killed = count - same[module] - missed[module]
        yield f"| {module} | {count} | {killed} | {same[module]} | {missed[module]} |"
    killed = len(results) - len(survivors)
    yield f"| all | {len(results)} | {killed} | {same.total()} | {missed.total()} |"


def _mutmut() -> str:
    return str(Path(sys.executable).with_name("mutmut"))


def _results() -> Iterator[tuple[str, str]]:
    """Names of all mutants, and the fate of each."""
    text = subprocess.run(
        [_mutmut(), "results", "--all", "true"], check=True, capture_output=True, text=True
    ).stdout
    for line in text.splitlines():
        name, _, status = line.strip().partition(": ")
        yield name, status


def _shown(name: str) -> Mutant:
    text = subprocess.run(
        [_mutmut(), "show", name], check=True, capture_output=True, text=True
    ).stdout
    lines = [line for line in text.splitlines()[1:] if not line.startswith(("---", "+++"))]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+"
    )
    return Mutant(_function(name), before, after)


def _module(name: str) -> str:
    return name.split(".")[-2]


def _function(name: str) -> str:
    """``tree.Tree.split`` of ``radixproof.impl.radix.tree.xǁTreeǁsplit__mutmut_4``."""
    own = name.rpartition(".")[2].rpartition("__mutmut_")[0]
    return f"{_module(name)}.{own.removeprefix('xǁ').removeprefix('x_').replace('ǁ', '.')}"


def _listed(reasons: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]]) -> set[Mutant]:
    """Mutants as they stand in the list: by reason and function, the line before and after."""
    return {
        Mutant(function, before, after)
        for functions in reasons.values()
        for function, changes in functions.items()
        for before, after in changes
    }


if __name__ == "__main__":
    sys.exit(main())

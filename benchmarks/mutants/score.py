"""Mutation score: what share of small changes to the core of our implementation the soak notices.

mutmut makes the changes and runs the killing suite (`kill.py`) on each. A mutant that no legal history can tell from the original
does not count: each stands in ``equivalent.toml``, with the reason. Run: ``make mutants``; broken off, it goes on where it was.
Exit code 1 if the score is too low, or a mutant survives that is not explained.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LEAST = 0.95
KILLED = ("killed", "timeout", "segfault", "suspicious")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the function it is in, as ``tree.Tree.split``, and the lines that it takes out and puts in."""

    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.function}\n  - {self.before}\n  + {self.after}"


def main() -> int:
    subprocess.run([_mutmut(), "run"], check=True)
    results = dict(_results())
    excused = _excused()
    survivors = [mutant for name, status in results.items() if status not in KILLED for mutant in [_shown(name)]]
    unexplained = [mutant for mutant in survivors if mutant not in excused]
    stale = [mutant for mutant in excused if mutant not in survivors]
    print(f"\n| module | mutants | killed | equivalent | missed |\n|{'---|' * 5}")
    every = Counter(map(_module, results))
    equal = Counter(mutant.function.partition(".")[0] for mutant in survivors if mutant in excused)
    missed = Counter(mutant.function.partition(".")[0] for mutant in unexplained)
    for module, count in sorted(every.items()):
        print(f"| {module} | {count} | {count - equal[module] - missed[module]} | {equal[module]} | {missed[module]} |")
    total, same = len(results), len(survivors) - len(unexplained)
    score = (total - len(survivors)) / (total - same)
    print(f"| all | {total} | {total - len(survivors)} | {same} | {len(unexplained)} |\n\nMutation score: {score:.1%}")
    for title, mutants in (("Missed", unexplained), ("Listed as equivalent, but not so any more", stale)):
        print(*(f"{title}: {mutant}" for mutant in mutants), sep="\n")
    return int(score < LEAST or bool(stale))


def _mutmut() -> str:
    return str(Path(sys.executable).with_name("mutmut"))


def _results() -> Iterator[tuple[str, str]]:
    """Names of all mutants, and what became of them."""
    text = subprocess.run([_mutmut(), "results", "--all", "true"], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        name, _, status = line.strip().partition(": ")
        yield name, status


def _shown(name: str) -> Mutant:
    text = subprocess.run([_mutmut(), "show", name], check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines()[1:] if not line.startswith(("---", "+++"))]
    before, after = (" ".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+")
    return Mutant(_function(name), before, after)


def _module(name: str) -> str:
    return name.split(".")[-2]


def _function(name: str) -> str:
    """``tree.Tree.split`` of ``radixproof.impl.radix.tree.xǁTreeǁsplit__mutmut_4``."""
    own = name.rpartition(".")[2].rpartition("__mutmut_")[0]
    return f"{_module(name)}.{own.removeprefix('xǁ').removeprefix('x_').replace('ǁ', '.')}"


def _excused() -> dict[Mutant, str]:
    listed = tomllib.loads((HERE / "equivalent.toml").read_text())
    return {
        Mutant(function, before, after): reason
        for reason, functions in listed.items()
        for function, changes in functions.items()
        for before, after in changes
    }


if __name__ == "__main__":
    sys.exit(main())

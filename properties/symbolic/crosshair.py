"""``python -m radixproof.properties.symbolic.crosshair``: CrossHair on the model's contracts.

Each contract is checked in a process of its own. What CrossHair reports against one is replayed in
plain Python, and is a counterexample only if it fails there, too. Exit codes: 0 no counterexample,
1 a counterexample, 2 usage, 3 could not run.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from importlib.util import find_spec
from types import ModuleType
from typing import TypeAlias

from radixproof.properties.symbolic import both, contracts

Contract: TypeAlias = Callable[..., None]

LONG, SHORT = 120.0, 5.0
"""Seconds of CPU time that a contract may take."""
CLEAN, FOUND, _, CANNOT_RUN = range(4)


class CannotRun(Exception):
    """CrossHair is not installed, or reached no verdict."""


class Outcome(Enum):
    """What a contract does on given values."""

    HOLDS = "holds"
    FAILS = "fails"
    UNMET = "does not meet the premise"


class ContractVerdict(Enum):
    """What is known about a contract."""

    CONFIRMED = "confirmed"
    OPEN = "no counterexample within the time"
    REFUTED = "counterexample"


@dataclass(frozen=True, slots=True)
class ContractJudgement:
    """The verdict on a contract.

    ``call`` is what CrossHair reported against it, ``replayed`` the outcome of that call in plain
    Python.
    """

    name: str
    verdict: ContractVerdict
    call: str = ""
    replayed: Outcome | None = None

    def __str__(self) -> str:
        line = f"{self.name}: {self.verdict.value}"
        if self.replayed is None:
            return line
        if self.verdict is ContractVerdict.REFUTED:
            return f"{line}: {self.call}"
        return f"{line} (CrossHair reported {self.call}, but it {self.replayed.value})"


def all_contracts() -> dict[str, Contract]:
    """The contracts by name, in the order of their modules."""
    return {contract.__name__: contract for module in (contracts, both) for contract in _of(module)}


def _of(module: ModuleType) -> list[Contract]:
    found = inspect.getmembers_static(module, inspect.isfunction)
    own = [
        contract
        for name, contract in found
        if contract.__module__ == module.__name__ and not name.startswith("_")
    ]
    return sorted(own, key=lambda contract: contract.__code__.co_firstlineno)


def replay(contract: Contract, call: str) -> Outcome:
    """The outcome of evaluating a call of the contract, written in Python."""
    try:
        eval(call, {contract.__name__: contract})
    except Exception as error:
        lines = [
            line
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_code is contract.__code__
        ]
        if not lines:
            raise
        return Outcome.FAILS if lines[0] >= _after_premise(contract) else Outcome.UNMET
    return Outcome.HOLDS


@cache
def _after_premise(contract: Contract) -> int:
    """The line of the first statement after the asserts that the contract begins with."""
    source, first = inspect.getsourcelines(contract)
    (function,) = ast.parse("".join(source)).body
    assert isinstance(function, ast.FunctionDef)
    _, *body = function.body
    return (
        first
        - 1
        + next(statement.lineno for statement in body if not isinstance(statement, ast.Assert))
    )


def judge(contract: Contract, seconds: float) -> ContractJudgement:
    """Let CrossHair look for values that refute a contract."""
    target = f"{contract.__module__}.{contract.__name__}"
    options = [
        "--report_all",
        "--analysis_kind",
        "asserts",
        "--per_condition_timeout",
        str(seconds),
    ]
    command = [sys.executable, "-m", "crosshair", "check", *options, target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return read(contract, done.stdout + done.stderr)


def read(contract: Contract, report: str) -> ContractJudgement:
    """The judgement that follows from what CrossHair printed about a contract."""
    name = contract.__name__
    reported = re.search(rf": error: .*when calling ({name}\(.*\))$", report, re.MULTILINE)
    if reported:
        outcome = replay(contract, reported[1])
        return ContractJudgement(
            name,
            ContractVerdict.REFUTED if outcome is Outcome.FAILS else ContractVerdict.OPEN,
            reported[1],
            outcome,
        )
    if ": info: Confirmed over all paths." in report:
        return ContractJudgement(name, ContractVerdict.CONFIRMED)
    if ": info: Not confirmed." in report:
        return ContractJudgement(name, ContractVerdict.OPEN)
    raise CannotRun(f"CrossHair reached no verdict on {name}:\n{report}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the contracts, one line each; returns the exit code."""
    known = all_contracts()
    text = "CrossHair on the contracts of the rules of the model."
    parser = argparse.ArgumentParser(
        prog="python -m radixproof.properties.symbolic.crosshair", description=text
    )
    parser.add_argument(
        "--short",
        action="store_true",
        help=f"at most {SHORT:g} seconds a contract, instead of {LONG:g}",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=2,
        help="contracts checked at a time (default: %(default)s)",
    )
    parser.add_argument(
        "contracts", nargs="*", metavar="contract", help="contracts to check (default: all)"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.contracts if name not in known]:
        parser.error(f"no such contract: {', '.join(unknown)}; known: {', '.join(known)}")
    chosen = [known[name] for name in options.contracts or known]
    try:
        return _run(chosen, SHORT if options.short else LONG, options.jobs)
    except CannotRun as error:
        print(f"radixproof: {error}", file=sys.stderr)
        return CANNOT_RUN


def _run(chosen: Sequence[Contract], seconds: float, jobs: int) -> int:
    if find_spec("crosshair") is None:
        raise CannotRun(
            "CrossHair is not installed; it comes with an extra: pip install 'radixproof[symbolic]'"
        )
    code = CLEAN
    with ThreadPoolExecutor(jobs) as pool:
        for judgement in pool.map(partial(judge, seconds=seconds), chosen):
            print(judgement, flush=True)
            if judgement.verdict is ContractVerdict.REFUTED:
                code = FOUND
    return code


if __name__ == "__main__":
    sys.exit(main())

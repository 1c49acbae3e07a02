"""The public surface: what it has, that it is typed, and that it costs nothing to import."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import assert_type

import pytest

import radixproof
import toy_adapter
from radixproof.impl.operations import OPERATIONS
from radixproof.properties.running.run import Verdict
from radixproof.properties.testing.case import ReportingMachine

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(set(radixproof.__all__) - {"__version__"}))
def test_every_public_name_is_the_thing_itself(name: str) -> None:
    thing = getattr(radixproof, name)
    assert name in dir(radixproof)
    if hasattr(thing, "__module__"):
        home = thing.__module__
        if home.startswith("radixproof"):
            assert getattr(import_module(home), name) is thing


def test_the_three_lists_of_names_agree() -> None:
    """What type checkers see, what ``import *`` takes, and what is loaded."""
    source = (ROOT / "radixproof" / "__init__.py").read_text()
    typed = re.findall(r"^    from radixproof\.([\w.]+) import (\w+) as \2$", source, re.MULTILINE)
    loaded = {
        name: module for module, names in radixproof._MODULES.items() for name in names.split()
    }
    assert {name: module for module, name in typed} == loaded
    assert sorted({*loaded, "__version__"}) == sorted(radixproof.__all__)


def test_every_operation_is_public() -> None:
    assert {kind.__name__ for kind in OPERATIONS} <= set(radixproof.__all__)


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="module 'radixproof' has no attribute 'chekc'"):
        _ = radixproof.chekc


def loaded_by(code: str) -> set[str]:
    """Which of the large packages are imported by some code, in a process of its own."""
    large = ("torch", "numpy", "hypothesis", "rich", "msgspec", "sglang")
    ending = f"import sys; print(*(name for name in {large} if name in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("import radixproof", set()),
        ("from radixproof import Config, Insert, Key, Scope, Sight, System, Target", set()),
        ("from radixproof import from_json, to_json", {"msgspec"}),
        ("from radixproof import replay", {"hypothesis", "msgspec"}),
    ],
)
def test_a_name_imports_what_it_needs_and_no_more(code: str, packages: set[str]) -> None:
    assert loaded_by(code) <= packages


def test_a_user_is_told_the_types() -> None:
    """`make lint` is what checks the types asserted here, and those of the toy cache."""
    result = radixproof.check(toy_adapter.target, steps=10)
    assert_type([finding.signature for finding in result.findings], list[str])
    history = radixproof.History(radixproof.Config(host_pages=0), ())
    verdict = radixproof.replay(toy_adapter.target, history)
    assert_type(verdict, Verdict | None)
    assert verdict is None
    machine = radixproof.state_machine(toy_adapter.target)
    assert_type(machine, type[ReportingMachine])
    assert issubclass(machine, ReportingMachine)
    assert (ROOT / "radixproof" / "py.typed").is_file()

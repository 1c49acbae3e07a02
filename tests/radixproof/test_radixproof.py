"""The public surface: what it has, that it is typed, and that it costs nothing to import."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import radixproof

ROOT = Path(__file__).resolve().parents[2]
TOY = Path(__file__).with_name("toy_cache.py")


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


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="module 'radixproof' has no attribute 'chekc'"):
        _ = radixproof.chekc  # type: ignore[attr-defined]


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


@pytest.mark.slow
def test_a_users_file_passes_the_strictest_type_check(tmp_path: Path) -> None:
    """Were a name not typed, or not public, the toy cache would not pass."""
    (tmp_path / "toy_cache.py").write_text(TOY.read_text())
    (tmp_path / "use.py").write_text(
        "import radixproof\n"
        "import toy_cache\n"
        "result = radixproof.check(toy_cache.target, steps=10)\n"
        "signatures: list[str] = [finding.signature for finding in result.findings]\n"
        "verdict = radixproof.replay(toy_cache.target, result.findings[0].history)\n"
        "reveal_type(verdict)\n"
        "TestToy = radixproof.state_machine(toy_cache.target).TestCase\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "use.py", "toy_cache.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Success" in ran.stdout, ran.stdout + ran.stderr
    assert 'note: Revealed type is "radixproof.properties.running.run.Verdict | None"' in ran.stdout

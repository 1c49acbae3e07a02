"""Systems by name: built in, offered by a package, or somewhere in Python code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from radixproof.impl import registry
from radixproof.impl.registry import (
    GROUP,
    UnknownSystem,
    find,
    is_import,
    locally,
    must_be_named,
    reference_of,
)
from radixproof.impl.sglang.fetching import TREE
from radixproof.impl.sglang.releases import NEWEST
from radixproof.impl.system import Unavailable

SOURCE = """
from dataclasses import replace
from radixproof import find, Unavailable

plain = find("radix")

def made():
    return replace(plain, name="whatever")

class Namespace:
    target = plain

number = 7

def wants(size):
    return plain

def fails():
    raise RuntimeError("no such \\n device")

def leaves():
    raise SystemExit(3)

def elsewhere():
    raise Unavailable("it needs a GPU")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to be in, with a module of one's own and two that cannot be imported."""
    (tmp_path / "my_cache.py").write_text(SOURCE)
    (tmp_path / "my_typo.py").write_text("def f(:\n")
    (tmp_path / "my_needs.py").write_text("import numpy\n\nimport there_is_no_such_module\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    yield tmp_path
    for name in ("my_cache", "my_typo", "my_needs"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("place", ["my_cache:plain", "my_cache:made", "my_cache:Namespace.target"])
def test_a_target_in_python_code_has_the_name_of_its_place(place: str, mine: Path) -> None:
    assert find(place).name == place
    assert find(place).scope == find("radix").scope


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("my_cach:plain", "cannot use my_cach:plain: there is no module 'my_cach' in this folder"),
        ("my_cache.sub:plain", "there is no module 'my_cache.sub' in this folder"),
        ("my_cache:plane", "module 'my_cache' has no attribute 'plane'"),
        ("my_cache:number", "must be a radixproof.Target, or a function without arguments that"),
        ("my_cache:wants", "TypeError: wants() missing 1 required positional argument: 'size'"),
        ("my_cache:fails", "RuntimeError: no such device ("),
        ("my_cache:fails", "my_cache.py, line 19)"),
        ("my_cache:leaves", "SystemExit: 3"),
        ("my_typo:plain", "SyntaxError: invalid syntax (my_typo.py, line 1)"),
        ("my_needs:plain", "No module named 'there_is_no_such_module' ("),
        ("my_needs:plain", "my_needs.py, line 3)"),
    ],
)
def test_what_is_wrong_with_somebodys_code_is_told_in_a_line(
    place: str, said: str, mine: Path
) -> None:
    with pytest.raises(UnknownSystem) as refused:
        find(place)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_target_that_cannot_run_here_says_so_itself(mine: Path) -> None:
    with pytest.raises(Unavailable, match="it needs a GPU"):
        find("my_cache:elsewhere")


@pytest.fixture
def offered(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an installed package offers."""
    monkeypatch.syspath_prepend(mine)
    points = EntryPoints(
        EntryPoint(name, place, GROUP)
        for name, place in (("theirs", "my_cache:made"), ("gone", "my_cache:plane"))
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))


@pytest.mark.usefixtures("offered")
def test_packages_offer_systems_by_entry_points() -> None:
    assert find("theirs").name == "theirs"
    assert ("theirs", "offered as my_cache:made") in locally()
    with pytest.raises(UnknownSystem, match="the entry point my_cache:plane: AttributeError"):
        find("gone")
    with pytest.raises(UnknownSystem, match=r"sglang@FOLDER, theirs, gone; your own: MODULE"):
        find("neither")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("my_cache:target", True),
        ("a.b:c.d", True),
        ("radix", False),
        ("radix:cuda", False),
        ("fault:ack-keeps-lock", False),
        ("fault:x", False),
        ("sglang==0.5.19", False),
        ("a b:c", False),
        ("a:", False),
        (":b", False),
        ("a:b:c", False),
    ],
)
def test_names_that_are_places_in_code(name: str, place: bool) -> None:
    assert is_import(name) is place


@pytest.mark.parametrize("name", ["radix", "fault:ack-keeps-lock"])
def test_what_needs_torch_says_so_where_there_is_none(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "has_torch", lambda: False)
    with pytest.raises(Unavailable, match=r"pip install 'radixproof\[radix\]'"):
        find(name)
    assert not [row for row, _ in locally() if row.startswith(("radix", "fault:"))]


def test_a_source_tree_is_compared_with_its_release(tmp_path: Path) -> None:
    (tmp_path / TREE).parent.mkdir(parents=True)
    (tmp_path / TREE).touch()
    tree = f"sglang@{tmp_path}"
    assert reference_of(f"{tree}+rust") == f"sglang=={NEWEST}+rust"
    version = tmp_path / "sglang" / "_version.py"
    version.write_text("__version__ = version = '0.5.20'\n")
    assert reference_of(tree) == "sglang==0.5.20"
    version.write_text("__version__ = version = '0.4.0'\n")
    for name in (tree, "sglang@/nowhere", "sglang==0.5.20", "sglang", "radix"):
        assert reference_of(name) is None


def test_what_a_file_may_not_choose_has_to_be_named() -> None:
    assert must_be_named("my_cache:target")
    assert must_be_named("sglang@/somewhere")
    assert not must_be_named("sglang==0.5.23")
    assert not must_be_named("radix")

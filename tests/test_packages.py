"""The drawing of the packages in CONTRIBUTING, the direction of imports, and no circles."""

from __future__ import annotations

import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

VOCABULARY = {f"model.{name}" for name in ("config", "key", "dialect", "verdict", "source_text")}
"""What a system under test may know of the model."""


@pytest.fixture(scope="module")
def drawn() -> ModuleType:
    """The script that draws."""
    spec = spec_from_file_location("draw_packages", ROOT / "docs" / "draw_packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(drawn: ModuleType) -> Any:
    """Every import of one of our modules by another."""
    return drawn.imports(drawn.modules())


def short(module: str) -> str:
    return module.removeprefix("radixproof.")


def test_contributing_has_the_drawing_that_the_command_makes(drawn: ModuleType) -> None:
    """If not: `make drawing`."""
    document = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert drawn.written(document, drawn.drawing()) == document


def test_the_drawing_reads_well(drawn: ModuleType) -> None:
    """Every package says in a sentence what it is for, and no line is too long for a terminal."""
    modules = drawn.modules()
    for name in drawn.ORDER:
        own = ".".join(("radixproof", *name.split("/"))) if name != "radixproof" else name
        assert drawn.sentence(modules[own]).endswith("."), name
    assert max(map(len, drawn.drawing().splitlines())) <= 100


def test_no_arrow_runs_back(drawn: ModuleType, found: Any) -> None:
    back = drawn.running_back(found)
    assert [(short(each.importer), short(each.imported)) for each in back] == []


def test_no_modules_import_one_another(drawn: ModuleType, found: Any) -> None:
    """Neither at run time nor for types."""
    assert len(found) > 300, "lest nothing was looked at"
    assert drawn.circles(found) == []


def test_our_cache_and_the_model_know_nobody(drawn: ModuleType, found: Any) -> None:
    graph = drawn.arrows(found)
    assert graph["impl/radix"] == graph["model"] == frozenset()
    assert graph["model/specification"] == {"model"}


def test_systems_know_nothing_of_the_model_but_its_vocabulary(found: Any) -> None:
    known = {
        short(each.imported)
        for each in found
        if each.importer.startswith("radixproof.impl") and short(each.imported).startswith("model")
    }
    assert known <= VOCABULARY


@pytest.fixture
def planted(drawn: ModuleType, tmp_path: Path) -> ModuleType:
    """The script; in ``tmp_path`` are a few modules that do what they must not."""
    files = {
        "radixproof/__init__.py": '"""Surface."""',
        "model/__init__.py": '"""Rules."""',
        "model/trie.py": "from radixproof.model import rules\nimport sys",
        "model/rules.py": "def late():\n    from radixproof.impl.system import System",
        "impl/__init__.py": '"""Systems."""',
        "impl/system.py": (
            "from typing import TYPE_CHECKING\n"
            "from radixproof.model.rules import rule\n"
            "if TYPE_CHECKING:\n    import radixproof.impl.other\n"
        ),
        "impl/other.py": "from .system import System\nfrom radixproof import __version__",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return drawn


def test_imports_are_found_wherever_they_stand(planted: ModuleType, tmp_path: Path) -> None:
    found = planted.imports(planted.modules(tmp_path))
    assert [(short(each.importer), short(each.imported), each.at_once) for each in found] == [
        ("impl.other", "impl.system", True),
        ("impl.system", "model.rules", True),
        ("impl.system", "impl.other", False),
        ("model.rules", "impl.system", False),
        ("model.trie", "model.rules", True),
    ]


def test_an_arrow_that_runs_back_is_found(planted: ModuleType, tmp_path: Path) -> None:
    back = planted.running_back(planted.imports(planted.modules(tmp_path)))
    assert [(short(each.importer), each.line) for each in back] == [("model.rules", 2)]


def test_circles_are_found(planted: ModuleType, tmp_path: Path) -> None:
    found = planted.imports(planted.modules(tmp_path))
    (circle,) = planted.circles(found)
    assert {short(name) for name in circle} == {"impl.system", "impl.other", "model.rules"}
    assert planted.circles([each for each in found if each.at_once]) == []


@pytest.mark.parametrize("room", ["properties", "impl", "model"])
def test_a_package_that_the_order_does_not_name_is_an_error(room: str, drawn: ModuleType) -> None:
    with pytest.raises(LookupError, match=f"{room}/no_such_package"):
        drawn.package_of(f"radixproof.{room}.no_such_package.file")


def test_the_wheel_carries_every_file_that_a_module_reads() -> None:
    """Templates and tables lie beside the modules that read them, and are named in no import."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["radixproof"]
    carried = {path for pattern in patterns for path in ROOT.glob(pattern)}
    beside = {
        path
        for room in ("model", "impl", "properties")
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".j2", ".toml", ".json", ".css", ".js"}
    }
    assert beside
    assert beside <= carried

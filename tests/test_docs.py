"""The documents name what there is: rules, dialects, properties, and what implements a rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from radixproof.model.dialect import Dialect
from radixproof.model.verdict import Property

ROOT = Path(__file__).resolve().parent.parent
SEMANTICS = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
SOURCES = sorted(
    path for room in ("model", "impl", "properties") for path in (ROOT / room).rglob("*.py")
)
MODULES = {
    path.stem: path
    for room in ("impl", "properties", "model")
    for path in (ROOT / room).rglob("[a-z]*.py")
}

RULES = re.findall(r"^\*\*(\d+\.\d+) ", SEMANTICS, re.MULTILINE)
SECTIONS = re.findall(r"^## (\d+)\. ", SEMANTICS, re.MULTILINE)

NUMBER = r"(?<![\d.])\d+(?:\.\d+)?(?!\.?\d)"
NUMBERS = rf"{NUMBER}(?:(?:, | to | and ){NUMBER})*"
CITED = re.compile(rf"semantics ({NUMBERS})")
BARE = re.compile(rf"[(;] ?((?:{NUMBER}, )*{NUMBER})\)")


def strings(path: Path) -> Iterator[str]:
    """Docstrings and messages of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())


def cited(text: str) -> set[str]:
    """Rules and sections that a text cites: after "semantics", or rules alone in parentheses."""
    named = [number for numbers in CITED.findall(text) for number in re.findall(NUMBER, numbers)]
    bare = [
        number
        for numbers in BARE.findall(text)
        for number in re.findall(NUMBER, numbers)
        if "." in number
    ]
    return {*named, *bare}


def test_citations_are_recognised() -> None:
    text = (
        "Of 0.5.13 (semantics 4.1 to 4.3), all (blocking; 8.4), none (7.3, 7.4) of (0.5.12), "
        "rate (2) and semantics 12."
    )
    assert cited(text) == {"4.1", "4.3", "8.4", "7.3", "7.4", "12"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rules_that_are_cited_exist(path: Path) -> None:
    assert {number for text in strings(path) for number in cited(text)} <= {*RULES, *SECTIONS}


def test_the_document_cites_rules_that_exist() -> None:
    assert cited(" ".join(SEMANTICS.split())) <= {*RULES, *SECTIONS}


def test_every_rule_stands_once_in_its_section_and_in_order() -> None:
    headings = re.findall(r"^(?:## (\d+)\. |\*\*(\d+)\.(\d+) )", SEMANTICS, re.MULTILINE)
    places = [(int(section or of), int(number or 0)) for section, of, number in headings]
    assert places == sorted(set(places))


@pytest.mark.parametrize("name", [item.name for item in fields(Dialect)])
def test_every_dialect_field_is_named_in_its_rule_and_in_the_table(name: str) -> None:
    rules, _, table = SEMANTICS.partition("\n## 15. ")
    assert f"`{name}`" in rules
    assert f"`{name}`" in table.partition("\n## ")[0]


@pytest.mark.parametrize("kind", Property, ids=lambda kind: kind.label)
def test_every_property_is_in_the_readme_with_its_sentence(kind: Property) -> None:
    assert f"| {kind.label} | {kind.scope} | {kind.sentence} |" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )


def names_of_implementations() -> list[str]:
    """What passages that begin with "Model:" name: functions, methods and files."""
    passages = re.findall(
        r"\*Model:\*(.*?)(?:\*Dialect:\*|\*\*Reported\*\*|\n\n)", SEMANTICS, re.DOTALL
    )
    return sorted(
        {name for passage in passages for name in re.findall(r"`(\w+[./][\w./]+)`", passage)}
    )


def dotted(path: Path) -> str:
    """The name under which a source file is imported."""
    return ".".join(("radixproof", *path.relative_to(ROOT).with_suffix("").parts))


def exists(name: str) -> bool:
    """Whether there is such a ``module.name``, ``Class.attribute``, both of them, or a file."""
    if name.endswith(".py"):
        return (ROOT / name).is_file()
    first, *rest = name.split(".")
    if first in MODULES:
        places = [import_module(dotted(MODULES[first]))]
    else:
        modules = (import_module(dotted(path)) for path in MODULES.values())
        places = [vars(module)[first] for module in modules if first in vars(module)]
    return any(reaches(place, rest) for place in places)


def reaches(place: object, path: list[str]) -> bool:
    if not path:
        return True
    if path[0] in getattr(place, "__annotations__", {}):
        return len(path) == 1
    return hasattr(place, path[0]) and reaches(getattr(place, path[0]), path[1:])


@pytest.mark.parametrize("name", names_of_implementations())
def test_what_implements_a_rule_is_there(name: str) -> None:
    assert exists(name)


def test_what_is_not_there_is_not_found() -> None:
    assert not exists("Cache.no_such_method")
    assert not exists("rules.no_such_rule")
    assert not exists("NoSuchClass.match")


def test_the_files_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(
        re.findall(r"`((?:model|impl|properties|tests|docs|radixproof|\.ci)/[\w./]*)`", text)
    )
    assert len(named) > 30
    assert {name for name in named if not (ROOT / name).exists()} == set()

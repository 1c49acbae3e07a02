"""The documents name what there is: rules, dialects, properties, and what implements a rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
import write_properties

from radixproof.impl.faults import FAULTS
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

OPTIONAL = {"direct"}
"""Modules that cannot be imported everywhere: the kernels need Triton. No rule is about them."""

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


def test_rules_that_are_cited_exist() -> None:
    known = {*RULES, *SECTIONS}
    unknown = {
        str(path.relative_to(ROOT)): numbers
        for path in SOURCES
        if (numbers := {number for text in strings(path) for number in cited(text)} - known)
    }
    assert not unknown


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


MODEL_PASSAGE = re.compile(r"\*Model:\*(.*?)(?=\*Dialect:\*|\*\*Reported\*\*|\n\n|\Z)", re.DOTALL)
NONE_NEEDED = re.compile(r"nothing to do|follows from")
NAME = re.compile(r"`(\w+[./][\w./]+)`")


def passages(text: str) -> list[str]:
    """What a text says of the model, where it does."""
    return [" ".join(passage.split()) for passage in MODEL_PASSAGE.findall(text)]


def of_rules() -> dict[str, str]:
    """Per rule, what its passages that begin with "Model:" say."""
    rule = re.compile(r"^\*\*(\d+\.\d+) (.*?)(?=^\*\*\d+\.\d+ |^## )", re.MULTILINE | re.DOTALL)
    return {number: " ".join(passages(text)) for number, text in rule.findall(SEMANTICS)}


def names_of_implementations() -> list[str]:
    """What all passages name: ``matching.match_end``, ``Trie.put``, ``properties/...py``."""
    return sorted({name for passage in passages(SEMANTICS) for name in NAME.findall(passage)})


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
        here = (path for stem, path in MODULES.items() if stem not in OPTIONAL)
        modules = (import_module(dotted(path)) for path in here)
        places = [vars(module)[first] for module in modules if first in vars(module)]
    return any(reaches(place, rest) for place in places)


def reaches(place: object, path: list[str]) -> bool:
    if not path:
        return True
    if path[0] in getattr(place, "__annotations__", {}):
        return len(path) == 1
    return hasattr(place, path[0]) and reaches(getattr(place, path[0]), path[1:])


def test_what_implements_a_rule_is_there() -> None:
    assert not [name for name in names_of_implementations() if not exists(name)]


def test_what_is_not_there_is_not_found() -> None:
    assert not exists("Cache.no_such_method")
    assert not exists("rules.no_such_rule")
    assert not exists("NoSuchClass.match")


# -- both ways: from rules to functions of the model, and back -------------------------------------

SAYS = of_rules()
UNSPECIFIED = {ROOT / "model" / "verdict.py", ROOT / "model" / "source_text.py"}
"""Names of properties and how breaches are told apart, and how values print: no rule says that."""


def functions(tree: ast.AST, of: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a module or class, as ``module.name`` and ``Class.name``.

    Methods with names of Python's own are left out (``__init__``, ``__repr__``), and functions
    inside of others: what they do is said where they are.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from functions(node, node.name)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            yield f"{of}.{node.name}", node


def rules_in(docstring: str) -> set[str]:
    """The rules that a docstring cites, with those between the ends of a range."""
    found = {number for number in cited(docstring) if "." in number}
    for first, last in re.findall(rf"({NUMBER}) to ({NUMBER})", docstring):
        if first in RULES and last in RULES:
            found.update(RULES[RULES.index(first) : RULES.index(last) + 1])
    return found


CITES: dict[str, set[str]] = {}
"""Per function of the model: the rules that its docstring cites."""
for _path in sorted((ROOT / "model").rglob("*.py")):
    if _path not in UNSPECIFIED:
        for _name, _function in functions(ast.parse(_path.read_text(encoding="utf-8")), _path.stem):
            _text = " ".join((ast.get_docstring(_function) or "").split())
            CITES[_name] = CITES.get(_name, set()) | rules_in(_text)


def test_every_function_of_the_model_cites_its_rule() -> None:
    assert not [name for name, rules in CITES.items() if not rules]
    assert not {name: rules for name, rules in CITES.items() if not rules <= set(RULES)}


def test_every_rule_names_what_implements_it_or_says_that_nothing_has_to() -> None:
    assert list(SAYS) == RULES
    silent = {
        rule: says
        for rule, says in SAYS.items()
        if not (NAME.search(says) or NONE_NEEDED.search(says) or "propert" in says)
    }
    assert not silent


def test_rules_and_the_functions_that_they_name_cite_each_other() -> None:
    """What a rule names cites the rule; and a rule that functions cite names one of them."""
    for rule, says in SAYS.items():
        named = {name for name in NAME.findall(says) if name in CITES}
        citing = {name for name, rules in CITES.items() if rule in rules}
        assert named <= citing, rule
        assert named or not citing, rule


def test_ranges_of_rules_are_cited_as_a_whole() -> None:
    assert rules_in("Cut anew (semantics 4.1 to 4.3).") == {"4.1", "4.2", "4.3"}
    assert rules_in("Said of 0.5.13 to 0.5.19, and of nothing else.") == set()


def test_functions_are_found_in_modules_and_classes() -> None:
    text = "def one(): ...\nclass A:\n    def two(self): ...\n    def __init__(self): ..."
    assert [name for name, _ in functions(ast.parse(text), "there")] == ["there.one", "A.two"]


def test_the_files_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(
        re.findall(r"`((?:model|impl|properties|tests|docs|radixproof|\.ci)/[\w./]*)`", text)
    )
    assert len(named) > 30
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_readme_counts_the_planted_bugs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(FAULTS)} bugs, most of them historical, are [planted](impl/faults/)" in readme
    assert f"find all {len(FAULTS)} in searches" in readme


def test_the_page_of_properties_is_what_the_code_says() -> None:
    text = write_properties.DOCUMENT.read_text(encoding="utf-8")
    assert text == write_properties.written(), "run: python docs/write_properties.py"

"""A property that nothing can violate is no property: every one of them, and every rule it has, is seen to fire somewhere here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from radixproof.model.verdict import Property

TESTS = Path(__file__).parent
BASELINE = "sanity.py"
"""What the harness is compared with; its rules are tested beside it."""
SOURCES = [
    file
    for folder in ("model", "properties")
    for file in sorted((TESTS.parents[2] / folder).rglob("*.py"))
    if file.name != BASELINE
]
VIOLATIONS = [
    *sorted((TESTS.parent / "judging").glob("test_judge_*.py")),
    TESTS.parent / "judging" / "test_state_checks.py",
    TESTS.parent / "performing" / "test_ranks.py",
    TESTS.parent / "performing" / "test_requests.py",
]


def texts(tree: ast.AST) -> set[str]:
    """All strings in a piece of source."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def breaches() -> Iterator[tuple[Property, ast.expr]]:
    """Everywhere that a breach of a property is reported: the property, and its rule as it is written there."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Breach"
            ):
                violates, rule = node.args[:2]
                if isinstance(violates, ast.Attribute):
                    yield Property[violates.attr], rule


def rules() -> set[tuple[Property, str]]:
    """The rules that are written out, of every property."""
    found = set()
    for violates, rule in breaches():
        for part in [rule.body, rule.orelse] if isinstance(rule, ast.IfExp) else [rule]:
            if isinstance(part, ast.Constant):
                found.add((violates, str(part.value)))
    return found


@pytest.fixture(scope="module")
def planted() -> dict[str, set[str]]:
    """Names of the tests that plant violations, each with the strings in and above it."""
    found: dict[str, set[str]] = {}
    for file in VIOLATIONS:
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = found.get(node.name, set()) | texts(node)
    return found


@pytest.mark.parametrize("item", Property, ids=lambda item: item.label)
def test_every_property_is_seen_to_be_violated(
    item: Property, planted: dict[str, set[str]]
) -> None:
    """By a test of its name, which sees a signature of its label."""
    mine = {
        text
        for name, known in planted.items()
        if name.startswith(f"test_{item.name.lower()}")
        for text in known
    }
    assert any(text == item.label or text.startswith(f"{item.label}/") for text in mine)


@pytest.mark.parametrize(
    ("item", "rule"), sorted(rules(), key=str), ids=lambda value: getattr(value, "label", value)
)
def test_every_rule_is_seen_to_be_broken(
    item: Property, rule: str, planted: dict[str, set[str]]
) -> None:
    known = set.union(*planted.values())
    assert known & {rule, f"{item.label}/{rule}"}


def test_rules_are_found_in_the_sources() -> None:
    """Lest the tests above are about nothing."""
    assert len({item for item, _ in breaches()}) > len(Property) / 2
    assert {
        (Property.PROGRESS, "load-refused"),
        (Property.PIN, "row-replaced"),
        (Property.RANK, "diverged"),
    } <= rules()

"""The specification stays small enough to be read in one go, and it knows nobody.

Statements are counted, not lines, so that there is room to read. Prose is not counted: sentences
for people are as long as they have to be.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import radixproof.model

MODEL = Path(radixproof.model.__file__).parent
MODULES = sorted(MODEL.rglob("*.py"))
PROSE = {
    MODEL / "verdict.py",
    MODEL / "source_text.py",
    MODEL / "specification" / "drawing.py",
    MODEL / "following" / "breaches.py",
    MODEL / "following" / "wrong_orders.py",
}
"""For people: the sentences of properties and breaches, and how prefixes and trees are drawn."""
FOLLOWED = [path for path in MODULES if path.parent.name == "following"]
SPECIFIED = [path for path in MODULES if path not in FOLLOWED]

STATEMENTS_SPECIFIED = 1_147
STATEMENTS_FOLLOWED = 820
BRANCHES = 12
COLUMNS = 100

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHING = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.With,
    ast.AsyncWith,
    ast.match_case,
    ast.IfExp,
)


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_text(node: ast.AST) -> bool:
    """A docstring, or the sentence under a field."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def statements(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.stmt) and not is_text(node) for node in ast.walk(tree))


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, but for those of functions in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, FUNCTIONS):
            yield child
            yield from own_nodes(child)


def branches(function: ast.AST) -> int:
    """Every place where a function can go one way or another, those inside expressions included."""
    count = 0
    for node in own_nodes(function):
        if isinstance(node, BRANCHING):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
    return count


def dense(tree: ast.AST) -> Iterator[int]:
    """Lines with more than one statement, or where one statement assigns several things at once.

    To take apart what one call, or one record, gives is no density.
    """
    seen: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        if node.lineno in seen:
            yield node.lineno
        seen.add(node.lineno)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            yield from (node.lineno for one in node.targets if isinstance(one, ast.Tuple))


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def named(path: Path) -> str:
    return str(path.relative_to(MODEL).with_suffix(""))


@pytest.mark.parametrize(
    ("paths", "budget"),
    [(SPECIFIED, STATEMENTS_SPECIFIED), (FOLLOWED, STATEMENTS_FOLLOWED)],
    ids=["specified", "followed"],
)
def test_the_model_keeps_to_its_budget(paths: list[Path], budget: int) -> None:
    counts = {named(path): statements(read(path)) for path in paths if path not in PROSE}
    assert sum(counts.values()) <= budget, counts


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_its_functions_have_few_branches(path: Path) -> None:
    functions = [node for node in ast.walk(read(path)) if isinstance(node, FUNCTIONS)]
    counts = {function.name: branches(function) for function in functions}
    assert {name: count for name, count in counts.items() if count > BRANCHES} == {}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_there_is_room_to_read(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [at for at, line in enumerate(lines, 1) if len(line) > COLUMNS] == []
    assert list(dense(read(path))) == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_it_imports_only_itself_and_the_standard_library(path: Path) -> None:
    foreign = [
        name
        for name in imported(read(path))
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not f"{name}.".startswith("radixproof.model.")
    ]
    assert foreign == []


@pytest.mark.parametrize("path", SPECIFIED, ids=named)
def test_what_is_specified_does_not_know_how_it_is_followed(path: Path) -> None:
    assert [name for name in imported(read(path)) if "following" in name] == []
    chapter = path.parent.name == "specification"
    assert chapter or not any("specification" in name for name in imported(read(path)))


def test_an_import_that_is_not_pure_is_seen() -> None:
    text = "import os.path, torch\ndef later():\n    from radixproof.impl import system\n"
    assert sorted(imported(ast.parse(text))) == ["os.path", "radixproof.impl", "torch"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x = 1", 0),
        ("if a and b or c: pass", 3),
        ("for a in b:\n    while c: pass", 2),
        ("try:\n    pass\nexcept E: pass", 1),
        ("with a: pass", 1),
        ("match a:\n    case 1: pass\n    case _: pass", 2),
        ("x = [a if b else c for d in e for f in g if h]", 4),
        ("def inner():\n    if a: pass", 0),
    ],
)
def test_branches_are_counted(text: str, count: int) -> None:
    assert branches(ast.parse(text)) == count


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1\nb = 2", []),
        ("a = 1; b = 2", [1]),
        ("a, b = 1, c", [1]),
        ("a, b = c", []),
        ("if a: b = 1", [1]),
    ],
)
def test_density_is_seen(text: str, lines: list[int]) -> None:
    assert list(dense(ast.parse(text))) == lines


def test_sentences_are_no_statements() -> None:
    assert statements(ast.parse('"""What it is."""\na = 1\n"""What that is."""\n')) == 1

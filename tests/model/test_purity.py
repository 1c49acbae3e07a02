"""The specification stays small and pure: it can be read in one go, and it knows nobody."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import radixproof.model

MODULES = sorted(Path(radixproof.model.__file__).parent.glob("*.py"))
LINES = 1500
LINES_OF_A_FUNCTION = 45


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_the_model_is_small() -> None:
    assert sum(len(path.read_text().splitlines()) for path in MODULES) < LINES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_its_functions_are_short(path: Path) -> None:
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = {
        function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions
    }
    assert {name: length for name, length in lengths.items() if length > LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_imports_only_itself_and_the_standard_library(path: Path) -> None:
    foreign = [
        name
        for name in imported(ast.parse(path.read_text()))
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not f"{name}.".startswith("radixproof.model.")
    ]
    assert foreign == []


def test_an_import_that_is_not_pure_is_seen() -> None:
    text = "import os.path, torch\ndef later():\n    from radixproof.impl import system\n    from . import cache"
    assert sorted(imported(ast.parse(text))) == [".", "os.path", "radixproof.impl", "torch"]

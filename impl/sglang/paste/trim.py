"""Leave out of a file what its tests do not use."""

from __future__ import annotations

import ast


def trimmed(source: str) -> str:
    """The source with the functions, constants and imports that its tests use, directly or not."""
    lines = source.splitlines()
    statements = ast.parse(source).body
    used = _used(statements)
    kept: list[str] = []
    gap, end = 0, 0
    for statement in statements:
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        gap = max(gap, first - end)
        end = last
        text = _kept(statement, lines[first:last], used)
        if text:
            kept += [*[""] * (gap if kept else 0), *text]
            gap = 0
    return "\n".join(kept) + "\n"


def _kept(statement: ast.stmt, lines: list[str], used: set[str]) -> list[str]:
    """The lines of a statement that stay."""
    if isinstance(statement, ast.ImportFrom):
        names = [alias.name for alias in statement.names if alias.name in used]
        return [f"from {statement.module} import {', '.join(names)}"] if names else []
    stays = isinstance(statement, ast.Expr) or any(name in used for name in _defined(statement))
    return lines if stays else []


def _used(statements: list[ast.stmt]) -> set[str]:
    """Names that tests use, directly or through other names."""
    users = {name: statement for statement in statements for name in _defined(statement)}
    used: set[str] = set()
    waiting = [name for name in users if name.startswith("test_")]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            if name in users:
                waiting += [node.id for node in ast.walk(users[name]) if isinstance(node, ast.Name)]
    return used


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of the file defines."""
    match statement:
        case ast.FunctionDef(name=name):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [alias.name for alias in aliases]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
        case ast.Try(body=body):
            return [name for inner in body for name in _defined(inner)]
    return []

"""The look of a pasted file: as ``ruff format`` has it, whether or not ruff is there."""

from __future__ import annotations

import ast
import textwrap

from radixproof.model.key import Key

WIDTH = 100
_LONG_RUN = 8
"""Longest run of consecutive tokens that is written out."""


def fitted(source: str) -> str:
    """The source with each statement that is wider than `WIDTH` on several lines.

    That is done for an import, a call, or an assignment of a call, on a line of its own. The
    templates have no other statement that history can make so wide.
    """
    lines = [
        part
        for line in source.splitlines()
        for part in ([line] if len(line) <= WIDTH else _broken(line))
    ]
    return "\n".join(lines) + "\n"


def _broken(line: str) -> list[str]:
    text = line.lstrip()
    indent = line[: -len(text)]
    try:
        (statement,) = ast.parse(text).body
    except SyntaxError:  # of a statement or a docstring that has several lines already
        return [line]
    if isinstance(statement, ast.ImportFrom):
        names = [f"{indent}    {alias.name}," for alias in statement.names]
        return [f"{indent}from {statement.module} import (", *names, f"{indent})"]
    call = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    if not isinstance(call, ast.Call):
        return [line]
    head = f"{indent}{text[: call.col_offset]}{_source(text, call.func)}("
    inner = indent + "    "
    arguments = [(_source(text, value), value) for value in call.args]
    arguments += [(_source(text, one), one.value) for one in call.keywords]
    flat = inner + ", ".join(argument for argument, _ in arguments)
    if len(flat) <= WIDTH:
        return [head, flat, f"{indent})"]
    body = [part for one in arguments for part in _argument(inner, *one, text)]
    return [head, *body, f"{indent})"]


def _argument(indent: str, argument: str, node: ast.expr, text: str) -> list[str]:
    if len(indent + argument) < WIDTH or not isinstance(node, ast.List):
        return [f"{indent}{argument},"]
    items = [f"{indent}    {_source(text, item)}," for item in node.elts]
    return [f"{indent}[", *items, f"{indent}],"]


def _source(text: str, node: ast.expr | ast.keyword) -> str:
    """The text of a part of a statement on one line."""
    return text.encode()[node.col_offset : node.end_col_offset].decode()


def tokens(key: Key) -> str:
    """The tokens of a prompt as a list, with long runs of them as ranges."""
    runs: list[list[int]] = []
    for token in key.tokens:
        if runs and runs[-1][-1] + 1 == token:
            runs[-1].append(token)
        else:
            runs.append([token])
    items = [item for run in runs for item in _items(run)]
    return f"[{', '.join(items)}]"


def _items(run: list[int]) -> list[str]:
    if len(run) > _LONG_RUN:
        return [f"*range({run[0]}, {run[-1] + 1})"]
    return [str(token) for token in run]


def comment(text: str) -> str:
    """A comment in the body of a function."""
    lines = textwrap.wrap(text, WIDTH, initial_indent="    # ", subsequent_indent="    #    ")
    return "\n".join(lines)


def prose(text: str, start: str = "") -> str:
    """A paragraph of the docstring at the top of the file, behind ``start``."""
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    return "\n".join(textwrap.wrap(plain, WIDTH, initial_indent=start, subsequent_indent="    "))

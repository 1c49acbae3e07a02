"""The look of a pasted file: as ``ruff format`` has it, whether or not ruff is there."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Iterable

from radixproof.model.verdict import Breach

WIDTH = 100
_LONG_RUN = 8
"""Longest run of consecutive tokens that is written out."""


def fitted(source: str) -> str:
    """The source with each statement that is wider than `WIDTH` on several lines.

    That is done for an import, a call, an assignment of a call or a sum, or an assertion, on a line
    of its own. Nothing else that is written can become so wide.
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
        statement = next(iter(ast.parse(text).body), None)
    except SyntaxError:  # of a statement or a docstring that has several lines already
        return [line]
    if isinstance(statement, ast.Assert) and statement.msg is not None:
        head = f"{indent}{text[: statement.msg.col_offset]}"
        return [f"{head}(", f"{indent}    {_source(text, statement.msg)}", f"{indent})"]
    if isinstance(statement, ast.ImportFrom):
        names = [f"{indent}    {alias.name}," for alias in statement.names]
        return [f"{indent}from {statement.module} import (", *names, f"{indent})"]
    call = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    if isinstance(call, ast.List):
        head = f"{indent}{text[: call.col_offset]}["
        inside = indent + "    "
        items = [_source(text, item) for item in call.elts]
        flat = inside + ", ".join(items)
        body = [flat] if len(flat) <= WIDTH else [f"{inside}{item}," for item in items]
        return [head, *body, f"{indent}]"]
    if isinstance(call, ast.BinOp):
        flat = f"{indent}    {_source(text, call)}"
        parts = (
            [flat] if len(flat) <= WIDTH else flat.replace(" + ", f"\n{indent}    + ").split("\n")
        )
        return [f"{indent}{text[: call.col_offset]}(", *parts, f"{indent})"]
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


def items(tokens: Iterable[int]) -> str:
    """Tokens as the items of a list or a call, with long runs of them as ranges."""
    runs: list[list[int]] = []
    for token in tokens:
        if runs and runs[-1][-1] + 1 == token:
            runs[-1].append(token)
        else:
            runs.append([token])
    return ", ".join(item for run in runs for item in _items(run))


def _items(run: list[int]) -> list[str]:
    if len(run) > _LONG_RUN:
        return [f"*range({run[0]}, {run[-1] + 1})"]
    return [str(token) for token in run]


def quoted(text: str) -> str:
    return json.dumps(text)


def indented(line: str) -> str:
    """A line in the body of a function."""
    return f"    {line}".rstrip()


def shortened(lines: list[str]) -> list[str]:
    """The statements of a step; a long prompt, or node, that makes one too long has its own."""
    if all(len(line) <= WIDTH - 4 for line in lines):
        return lines
    for pattern, name in ((_KEY, "prompt"), (_NODE, "node")):
        parts = {match.group() for line in lines for match in pattern.finditer(line)}
        if len(parts) == 1 and f"{name} = {next(iter(parts))}" not in lines:
            lines = _named(lines, next(iter(parts)), name)
    return lines


def _named(lines: list[str], part: str, name: str) -> list[str]:
    return [f"{name} = {part}", *(line.replace(part, name) for line in lines)]


_NODE = re.compile(r"\bfind\(\[(?:[^\[\]])*\], tree\.root_node(?:, \"[^\"]*\")?\)")
_KEY = re.compile(r"\bkey\((?:[^()]|range\([^()]*\))*\)")


def comment(text: str) -> str:
    """A comment in the body of a function."""
    lines = textwrap.wrap(text, WIDTH, initial_indent="    # ", subsequent_indent="    #    ")
    return "\n".join(lines)


def docstring(breach: Breach, version: str, script: bool = False) -> str:
    """The docstring at the top of the file."""
    bar = ["In [1 | 2], the node meant is the part behind the bar."] if " | " in breach.text else []
    runner = "python" if script else "pytest"
    alone = f"python -m radixproof.impl.sglang.run {version}"
    tested = f"pytest -p radixproof.impl.sglang.plugin --sglang {version}"
    lines = [
        f'"""{_prose(f"{breach.signature} in SGLang {version}.")}',
        "",
        _prose(f"What must hold: {breach.violates.sentence}."),
        _prose(f"What happened: {breach.text}."),
        *bar,
        "",
        f"Found by radixproof. Run it with {runner} where SGLang and a GPU are, or on a CPU with",
        f"    {alone if script else tested} THIS_FILE",
        '"""',
    ]
    return "\n".join(lines)


def _prose(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    return "\n".join(textwrap.wrap(plain, WIDTH - 3, subsequent_indent="    "))

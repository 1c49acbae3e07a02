"""The look of a pasted test: statements and comments at the indentation of a function's body, as ``ruff format`` has them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from radixproof.model.key import Key

WIDTH = 132
"""Longest line of code in the file."""


def prompt(key: Key) -> list[str]:
    """A prompt as arguments: its tokens, with long runs of them as ranges, and its namespace if it has one."""
    runs: list[list[int]] = []
    for token in key.tokens:
        if runs and runs[-1][-1] + 1 == token:
            runs[-1].append(token)
        else:
            runs.append([token])
    items = [
        item
        for run in runs
        for item in ([f"*range({run[0]}, {run[-1] + 1})"] if len(run) > 8 else map(str, run))
    ]
    return [f"[{', '.join(items)}]", *([f'namespace="{key.namespace}"'] if key.namespace else [])]


def call(start: str, function: str, arguments: Sequence[str]) -> list[str]:
    """A statement in a function: on one line if it fits, else its arguments on one line, else each on its own."""
    flat = ", ".join(arguments)
    if len(line := f"    {start}{function}({flat})") <= WIDTH:
        return [line]
    lines = [f"        {flat}"]
    if len(lines[0]) > WIDTH:
        lines = [line for argument in arguments for line in _argument(argument)]
    return [f"    {start}{function}(", *lines, "    )"]


def _argument(text: str) -> list[str]:
    if len(text) + 9 <= WIDTH:
        return [f"        {text},"]
    tokens = re.findall(r"\*range\(.*?\)|\d+", text)
    return ["        [", *[f"            {item}," for item in tokens], "        ],"]


def comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    # ", subsequent_indent="    #    ")

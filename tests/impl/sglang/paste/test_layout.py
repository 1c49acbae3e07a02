"""How a pasted file is laid out."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.paste.layout import WIDTH, comment, fitted, prose, tokens
from radixproof.model.key import Key

LONG = "x" * 40


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("    f(1)", ["    f(1)"]),
        (
            f"    a = f({LONG}, {LONG}, b=xxxxxx)",
            ["    a = f(", f"        {LONG}, {LONG}, b=xxxxxx", "    )"],
        ),
        (
            f"    o.f({LONG}, {LONG}, b={LONG}, **c)",
            [
                "    o.f(",
                f"        {LONG},",
                f"        {LONG},",
                f"        b={LONG},",
                "        **c,",
                "    )",
            ],
        ),
        (
            f"    f([{LONG}, *{LONG}, {LONG}], ns='→')",
            [
                "    f(",
                "        [",
                f"            {LONG},",
                f"            *{LONG},",
                f"            {LONG},",
                "        ],",
                "        ns='→',",
                "    )",
            ],
        ),
        (
            f"from m import {LONG}, {LONG}, {LONG[:20]}",
            ["from m import (", f"    {LONG},", f"    {LONG},", f"    {LONG[:20]},", ")"],
        ),
    ],
)
def test_a_line_that_is_too_long_is_broken(line: str, lines: list[str]) -> None:
    assert fitted(line).splitlines() == lines


@pytest.mark.parametrize("line", [f"    assert {LONG} == {LONG} == {LONG}", f'"""{LONG * 3}'])
def test_what_is_no_call_is_left_as_it_is(line: str) -> None:
    assert fitted(line) == f"{line}\n"


def test_long_runs_of_tokens_are_ranges() -> None:
    assert tokens(Key(())) == "[]"
    assert tokens(Key((1, 2, 3, 9))) == "[1, 2, 3, 9]"
    assert tokens(Key((5, *range(10, 19), 7, 8))) == "[5, *range(10, 19), 7, 8]"
    assert tokens(Key(tuple(range(8)))) == "[0, 1, 2, 3, 4, 5, 6, 7]"


def test_comments_and_prose_are_wrapped() -> None:
    words = " ".join(["word"] * 40)
    for text in (comment(words), prose(words)):
        first, *rest = text.splitlines()
        assert len(rest) >= 1
        assert max(map(len, [first, *rest])) <= WIDTH
        assert " ".join(text.replace("#", " ").split()) == words
    assert comment(words).splitlines()[1].startswith("    #    word")


def test_prose_cannot_end_its_docstring() -> None:
    assert prose('a """ b \\ c') == "a ''' b \\\\ c"

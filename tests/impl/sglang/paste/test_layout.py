"""How a pasted file is laid out."""

from __future__ import annotations

import pytest

from radixproof.impl.sglang.paste.layout import (
    WIDTH,
    comment,
    docstring,
    fitted,
    indented,
    items,
    shortened,
)
from radixproof.model.verdict import Breach, Property

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


@pytest.mark.parametrize(
    "line", [f"    assert {LONG} == {LONG} == {LONG}", f'"""{LONG * 3}', f"# {LONG * 3}"]
)
def test_what_is_no_such_statement_is_left_as_it_is(line: str) -> None:
    assert fitted(line) == f"{line}\n"


def test_a_message_that_is_too_long_has_a_line_of_its_own() -> None:
    assert fitted(f'    assert {LONG} == 1, "{LONG * 2}"').splitlines() == [
        f"    assert {LONG} == 1, (",
        f'        "{LONG * 2}"',
        "    )",
    ]


def test_a_list_that_is_too_long_is_broken() -> None:
    assert fitted(f"    a = [{LONG}, {LONG}, {LONG[:8]}]").splitlines() == [
        "    a = [",
        f"        {LONG}, {LONG}, {LONG[:8]}",
        "    ]",
    ]
    assert fitted(f"a = [{LONG}, {LONG}, {LONG}]").splitlines() == [
        "a = [",
        *[f"    {LONG},"] * 3,
        "]",
    ]


def test_a_sum_that_is_too_long_is_broken() -> None:
    assert fitted(f"    a = {LONG} + {LONG} + {LONG}").splitlines() == [
        "    a = (",
        f"        {LONG}",
        f"        + {LONG}",
        f"        + {LONG}",
        "    )",
    ]
    assert fitted(f"    {LONG[:12]} = {LONG} + {LONG}").splitlines() == [
        f"    {LONG[:12]} = (",
        f"        {LONG} + {LONG}",
        "    )",
    ]


def test_long_runs_of_tokens_are_ranges() -> None:
    assert items(()) == ""
    assert items((1, 2, 3, 9)) == "1, 2, 3, 9"
    assert items((5, *range(10, 19), 7, 8)) == "5, *range(10, 19), 7, 8"
    assert items(range(8)) == "0, 1, 2, 3, 4, 5, 6, 7"


def test_a_prompt_that_makes_a_statement_too_long_gets_one_of_its_own() -> None:
    key = "key(1, *range(10, 90), 2, 30, 31, 32, 33, 34, 35, 36, 50, 60, 70)"
    assert shortened([f"insert({key}, allocator.alloc(12345678))"]) == [
        f"prompt = {key}",
        "insert(prompt, allocator.alloc(12345678))",
    ]
    assert shortened(["tree.match(key(1))"]) == ["tree.match(key(1))"]


def test_comments_are_wrapped() -> None:
    words = " ".join(["word"] * 40)
    text = comment(words)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert " ".join(text.replace("#", " ").split()) == words
    assert text.splitlines()[1].startswith("    #    word")


def test_a_line_without_text_has_no_blanks() -> None:
    assert indented("") == ""
    assert indented("a") == "    a"


def test_the_docstring_says_what_must_hold_and_what_happened() -> None:
    breach = Breach(Property.PROGRESS, "lost", 'a """ b \\ c\nof [1 | 2]')
    lines = docstring(breach, "0.5.13").splitlines()
    assert lines[0] == '"""PROGRESS/lost in SGLang 0.5.13.'
    assert lines[2].startswith("What must hold: eviction frees what")
    assert "What happened: a ''' b \\\\ c of [1 | 2]." in lines
    assert "In [1 | 2], the node meant is the part behind the bar." in lines
    assert lines[-2:] == [
        "    pytest -p radixproof.impl.sglang.plugin --sglang 0.5.13 THIS_FILE",
        '"""',
    ]
    assert max(map(len, lines)) <= WIDTH

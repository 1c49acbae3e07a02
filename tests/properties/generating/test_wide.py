"""Wider configurations and prompts: seldom, within the scope, and without changing the others."""

from __future__ import annotations

from random import Random

import pytest

from radixproof.impl.operations import Insert
from radixproof.impl.registry import find
from radixproof.impl.scope import Scope
from radixproof.model.config import Component, Config
from radixproof.properties.generating.configs import config
from radixproof.properties.generating.operations import Generator
from radixproof.properties.generating.wide import (
    MOST_PAGES,
    NARROW,
    SHARE,
    WIDE,
    alphabet,
    widened,
)
from radixproof.properties.running.run import Run

MANY = 4_000


def several(scope: Scope = Scope()) -> list[tuple[Config, Config]]:
    """Configurations, and what became of them."""
    shapes = [
        Config(page_size=1 + n % 4, window=1 + n % 7, swa_pages=4 + n % 9, host_pages=0)
        for n in range(MANY)
    ]
    return [(shape, widened(shape, scope)) for shape in dict.fromkeys(shapes)]


def drawn(scope: Scope = Scope()) -> list[Config]:
    rng = Random(5)
    return [config(rng, scope) for _ in range(MANY)]


def test_one_in_ten_is_wide_and_the_others_are_as_they_were_drawn() -> None:
    pairs = several()
    changed = [after for before, after in pairs if after != before]
    assert SHARE / 2 < len(changed) / len(pairs) < 2 * SHARE


def test_every_way_to_be_wide_occurs() -> None:
    shapes = drawn()
    assert {shape.page_size for shape in shapes} == {1, 2, 3, 4, 5, 6, 8, 16}
    assert {shape.ranks for shape in shapes} == {1, 2, 3, 4}
    pages = [(shape.window or 0) / shape.page_size for shape in shapes]
    assert max(pages) > 6
    long = [(shape.window or 0, shape.page_size) for shape in shapes if (shape.window or 0) > 12]
    assert {window % size > 0 for window, size in long} == {False, True}


@pytest.mark.parametrize(
    "scope",
    [Scope(ranks=False), Scope(page_sizes=(1, 2)), Scope(components=(Component.FULL,))],
    ids=["ranks", "pages", "components"],
)
def test_what_a_scope_does_not_have_is_not_drawn(scope: Scope) -> None:
    assert [scope.refuses(shape) for shape in drawn(scope)] == [""] * MANY


def test_prompts_are_of_a_wide_alphabet_as_seldom() -> None:
    shapes = list(dict.fromkeys(drawn()))
    wide = [shape for shape in shapes if alphabet(shape) is WIDE]
    assert {alphabet(shape) for shape in shapes} == {NARROW, WIDE}
    assert SHARE / 2 < len(wide) / len(shapes) < 2 * SHARE


def test_where_there_is_room_for_long_prompts_they_are_long() -> None:
    roomy = [shape for shape in drawn() if shape.device_pages > MOST_PAGES]
    assert roomy
    assert {alphabet(shape) for shape in roomy} == {WIDE}


def test_prompts_of_a_wide_alphabet_are_long_and_differ_in_more_tokens_and_namespaces() -> None:
    radix = find("radix")
    roomy = (Config(device_pages=pages, host_pages=40) for pages in range(30, 60))
    shape = next(shape for shape in roomy if alphabet(shape) is WIDE)
    run = Run(radix, shape)
    keys = []
    for operation in Generator(run.judge, Random(3), radix.scope).operations(600):
        assert run.step(operation) == []
        if isinstance(operation, Insert):
            keys.append(operation.key)
    run.close()
    assert max(len(key.tokens) for key in keys) > 2 * NARROW.pages
    assert {token for key in keys for token in key.tokens} >= set(WIDE.tokens)
    assert {key.namespace for key in keys} == set(WIDE.namespaces)

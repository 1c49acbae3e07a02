"""What was seen against the rules is taken in, and nothing else (semantics 1.2, 1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import POOLS, Pool

Start = Callable[..., Any]


def resident(*pools: Pool) -> list[bool]:
    return [pool in pools for pool in POOLS]


def test_a_page_is_where_it_was_seen(start: Start) -> None:
    sheet = start(window=1)
    sheet.put("1 2")
    sheet.cache.adopt(sheet.page("1 2"), resident(Pool.FULL, Pool.SWA_HOST))
    assert sheet.tree() == {"1": "FSfs|", "1 2": "Fs|"}


def test_pools_that_the_cache_has_not_are_left_alone(start: Start) -> None:
    sheet = start()
    sheet.put("1")
    sheet.cache.adopt(sheet.page("1"), resident(Pool.FULL, Pool.SWA, Pool.MAMBA))
    assert sheet.tree() == {"1": "F|"}


def test_a_page_that_is_nowhere_leaves_the_tree_with_what_it_alone_kept(start: Start) -> None:
    sheet = start()
    sheet.put("1 2 3")
    sheet.put("4")
    sheet.settle()
    middle = sheet.page("1 2")
    sheet.cache.adopt(middle, resident())
    assert sheet.tree() == {"1": "Ff", "1 2": "", "1 2 3": "Ff|", "4": "Ff|"}
    sheet.cache.adopt(sheet.page("1 2 3"), resident())
    assert sheet.tree() == {"1": "Ff", "4": "Ff|"}
    assert sheet.order() == ["1", "4"]


def test_a_page_that_is_locked_stays(start: Start) -> None:
    sheet = start()
    sheet.put("1 2")
    sheet.settle()
    sheet.lock("r", "1 2")
    sheet.cache.adopt(sheet.page("1 2"), resident())
    assert sheet.tree() == {"1": "Ff", "1 2": "|"}


def test_a_page_that_had_left_is_there_again(start: Start) -> None:
    sheet = start()
    sheet.put("1 2")
    sheet.settle()
    page = sheet.page("1 2")
    sheet.cache.adopt(page, resident())
    assert sheet.order() == ["1"]
    sheet.cache.adopt(page, resident(Pool.FULL_HOST))
    assert sheet.tree() == {"1": "Ff", "1 2": "f|"}
    assert sheet.order() == ["1", "1 2"]


def test_a_page_that_stays_was_not_used_by_it(start: Start) -> None:
    sheet = start()
    sheet.put("1")
    sheet.put("2")
    sheet.cache.adopt(sheet.page("1"), resident(Pool.FULL))
    assert sheet.order() == ["1", "2"]


@pytest.mark.parametrize(
    ("prompts", "text", "cut"),
    [(["1 2"], "1", False), (["1 2", "1 3"], "1", True), (["1 2"], "1 2", True)],
)
def test_a_node_goes_on_after_a_page_unless_prefixes_part_there(
    start: Start, prompts: list[str], text: str, cut: bool
) -> None:
    sheet = start()
    for prompt in prompts:
        sheet.put(prompt)
    page = sheet.page(text)
    sheet.cache.adopt_end(page, ends=True)
    assert page.cut is True
    sheet.cache.adopt_end(page, ends=False)
    assert page.cut is cut

"""What SGLang answers is held against what it has done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from radixproof.impl.sglang.adapter import WrongAnswer, _believe

ANCHOR = SimpleNamespace(best_match_node=7, last_device_node=3)


@pytest.mark.parametrize(
    ("answer", "loaded", "asked", "right"),
    [
        ((4, 7), 4, True, True),
        (([1, 2, 3, 4], 7), 4, True, True),
        ((6, 7), 4, True, True),  # some of it was there, and had lost its window
        ((0, 3), 0, True, True),  # a state alone
        ((0, 3), 0, False, True),
        ((2, 7), 4, True, False),
        ((4, 3), 4, True, False),
        ((0, 7), 0, False, False),
        ((4, 7), 0, False, False),
    ],
)
def test_a_load_back_answers_what_it_brings(
    answer: tuple[Any, int], loaded: int, asked: bool, right: bool
) -> None:
    if right:
        _believe(answer, ANCHOR, loaded, asked)
    else:
        with pytest.raises(WrongAnswer, match="tokens down to"):
            _believe(answer, ANCHOR, loaded, asked)

"""A history told: systems that are broken by its last step may be looked at without harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from radixproof.impl.operations import History, Insert, Match
from radixproof.impl.system import Target
from radixproof.model.key import Key
from radixproof.properties.generating.configs import plainest
from radixproof.properties.reporting import narrate
from radixproof.properties.reporting.page.page import account, html
from radixproof.properties.reporting.report import render

from ..guarding import fatal

SPLIT = (Insert(Key((1, 2))), Match(Key((1,))))


@pytest.mark.parametrize("forking", [True, False], ids=["forked", "here"])
def test_where_a_look_raises_the_tree_is_as_it_was_seen_last(
    forking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrate, "can_fork", lambda: forking)
    text, page = told(fatal.blind_afterwards, Insert(Key((1,))), Insert(Key((2,))))
    said = "The tree after it cannot be shown: a look at it raises LookupError"
    assert said in text
    assert said in page


@pytest.mark.parametrize(
    ("of", "how"),
    [
        (fatal.gone_afterwards, "ends its process with exit code -6"),
        (fatal.lost_afterwards, "does not end within 1 seconds"),
    ],
    ids=["ends", "hangs"],
)
def test_a_look_that_ends_the_process_or_hangs_does_no_harm(
    of: Callable[[], Target], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrate, "LOOK", 1)
    text, page = told(of)
    assert "NOCRASH/LookupError@" in text
    assert f"The tree after it cannot be shown: a look at it {how}." in text
    assert "Tree before step 2: [1 2] FULL device" in text
    assert how in page


def told(of: Callable[[], Target], *more: Insert) -> tuple[str, str]:
    """The report and the page of a history, without line ends."""
    target = of()
    history = History(plainest(target.scope), (*more, *SPLIT))
    went = narrate.narrate(target, history, None)
    pages = render("toy", history, went), html(account(target, history, went))
    text, page = (" ".join(one.split()) for one in pages)
    return text, page

"""What is known of a release is new in a source tree of it where the release does nothing alike."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from radixproof.model.verdict import Breach, Property
from radixproof.properties.running.trace import Shown
from radixproof.properties.search.comparing import likewise, only_here

ORDER = Breach(Property.RECENCY, "swa-list", "the wrong one goes")
COPY = Breach(Property.CONTENT, "full-copied", "something else is in it")
KNOWN = {ORDER.signature, COPY.signature}


def shown(outcome: str, *found: Breach) -> Shown:
    return Shown(outcome, tuple(breach.signature for breach in found), found=found)


FINE, WRONG, BOTH = shown("done"), shown("done", ORDER), shown("done", ORDER, COPY)


@pytest.mark.parametrize(
    ("here", "there", "known", "seen"),
    [
        ([FINE, WRONG], [FINE, WRONG], KNOWN, None),
        ([FINE, WRONG], [FINE, FINE], KNOWN, (ORDER, 1, ())),
        ([WRONG, BOTH], [WRONG, WRONG], KNOWN, (COPY, 1, (ORDER.signature,))),
        ([FINE, WRONG], [FINE, FINE], [COPY.signature], None),
        ([shown("1 freed", ORDER)], [shown("2 freed")], KNOWN, (ORDER, 0, ())),
        ([shown("1 freed"), WRONG], [shown("2 freed"), FINE], KNOWN, (ORDER, 1, ())),
        ([shown("1 freed"), WRONG, FINE], [shown("2 freed"), FINE, WRONG], KNOWN, None),
        ([FINE, WRONG], [WRONG, FINE], KNOWN, None),
        ([WRONG, FINE, BOTH], [BOTH, FINE, FINE], KNOWN, None),
        ([FINE, WRONG], [FINE], KNOWN, None),
    ],
)
def test_what_one_does_and_the_other_does_not(
    here: Sequence[Shown],
    there: Sequence[Shown],
    known: set[str],
    seen: tuple[Breach, int, tuple[str, ...]] | None,
) -> None:
    found = next(only_here(here, there, known), None)
    verdict = found and found.verdict
    assert seen == (verdict and (verdict.breach, verdict.step, verdict.earlier))


def test_where_the_two_part_is_told() -> None:
    other = [FINE, shown("2 freed"), FINE, FINE]
    (found,) = only_here([FINE, shown("1 freed"), FINE, WRONG], other, KNOWN)
    assert (found.signature, found.verdict.step, found.parting) == (ORDER.signature, 3, 1)
    assert found.there == "2 freed"
    assert not found.at_once
    (at_once,) = only_here([FINE, WRONG], [FINE, FINE], KNOWN)
    assert at_once.parting == 1
    assert at_once.at_once


def test_a_node_that_is_only_there_is_told() -> None:
    one, other = (Shown("done", (), nodes=frozenset(nodes)) for nodes in (("[1]",), ("[2]", "[3]")))
    (found,) = only_here([one, WRONG], [other, FINE], KNOWN)
    assert (found.parting, found.there) == (0, "[2]")


def test_each_signature_is_told_once() -> None:
    found = list(only_here([WRONG, BOTH, BOTH], [FINE, FINE, FINE], KNOWN))
    assert [one.signature for one in found] == [ORDER.signature, COPY.signature]
    assert [one.verdict.step for one in found] == [0, 1]
    assert [one.at_once for one in found] == [True, False]


EMPTY = Shown("done", (), nodes=frozenset())
FULL = Shown("1 freed", (), nodes=frozenset({"[1]"}))


@pytest.mark.parametrize(
    ("there", "alike"),
    [
        ([EMPTY, WRONG], True),
        ([FULL, FULL, EMPTY, WRONG], True),
        ([Shown("skipped", (), nodes=frozenset()), WRONG], True),
        ([FULL, WRONG], False),
        ([EMPTY, FINE], False),
        ([EMPTY, BOTH], False),
        ([WRONG], False),
    ],
)
def test_the_same_is_done_from_the_same_state(there: Sequence[Shown], alike: bool) -> None:
    assert likewise([FULL, EMPTY, WRONG], there) == alike

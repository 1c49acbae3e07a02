"""What is known of a release is new in a source tree of it where the release does nothing alike."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from radixproof.model.verdict import Breach, Property
from radixproof.properties.running.trace import Shown
from radixproof.properties.search.comparing import only_here

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
    found = only_here(here, there, known)
    verdict = found and found.verdict
    assert seen == (verdict and (verdict.breach, verdict.step, verdict.earlier))


def test_where_the_two_part_is_told() -> None:
    other = [FINE, shown("2 freed"), FINE, FINE]
    found = only_here([FINE, shown("1 freed"), FINE, WRONG], other, KNOWN)
    assert found is not None
    assert (found.signature, found.verdict.step, found.parting) == (ORDER.signature, 3, 1)
    at_once = only_here([FINE, WRONG], [FINE, FINE], KNOWN)
    assert at_once is not None
    assert at_once.parting == 1

"""The verdict on a search: never "clean" unless it went everywhere and nothing at all was met."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from radixproof.properties.coverage.reach import reachable
from radixproof.properties.results.result import Ending, SystemResult, enough, found
from radixproof.properties.workers.comparing import Compared

from .made_up import KNOWN, SCOPE, finding, progress, result

MANY = len(reachable(SCOPE))
MET = progress(passed_over=Counter({KNOWN.signature: 5}))
CUT = progress(complete=False)


@pytest.mark.parametrize(
    ("of", "verdict"),
    [
        (result(), "clean"),
        (result(now=progress(1)), "nothing found in a short search"),
        (result(now=progress(MANY)), "not searched enough"),
        (result(now=CUT, ending=Ending.TIME), "not searched enough"),
        (result(now=CUT, ending=Ending.INTERRUPTED), "not searched enough"),
        (result(ending=Ending.RUNNING), "not searched enough"),
        (result(ending=Ending.FAILED, reason="not here"), "not searched enough"),
        (result(known=[KNOWN]), "clean"),
        (result(known=[KNOWN], now=MET), "nothing new, 1 known finding passed over"),
        (result(compared=Compared(7, 7)), "clean"),
        (result(compared=Compared(6, 7)), "not searched enough"),
        (result([finding()]), "1 finding"),
        (result([finding(), finding("OWN/x")]), "2 findings"),
        (result([finding()], CUT, Ending.TIME), "1 finding, and not searched enough"),
    ],
)
def test_the_verdict(of: SystemResult, verdict: str) -> None:
    assert of.verdict == verdict
    assert of.enough == ("not searched enough" not in verdict)
    assert bool(of.lacking) != of.enough


@pytest.mark.parametrize(
    ("of", "lacking"),
    [
        (
            result(now=CUT, ending=Ending.TIME),
            f"the time was up after 1,003 of 1,000 steps, with {MANY} of {MANY} milestones reached",
        ),
        (
            result(now=progress(MANY, complete=False), ending=Ending.TIME),  # before the soak
            "the time was up after 1,003 of 1,000 steps",
        ),
        (
            result(now=progress(MANY)),
            f"0 of {MANY} milestones reached, and the profile ci asks for 75 % of them",
        ),
        (result(ending=Ending.FAILED, reason="not here: fetch it"), "not here: fetch it"),
        (
            result(compared=Compared(6, 7), reference="sglang==0.5.23"),
            "what is known was not all compared with sglang==0.5.23",
        ),
    ],
)
def test_what_is_lacking_is_said(of: SystemResult, lacking: str) -> None:
    assert of.lacking == lacking


def test_a_search_that_has_not_begun_says_so() -> None:
    of = result(ending=Ending.TIME)
    of.progress = None
    assert of.lacking == "the time was up before the search began"
    assert of.verdict == "not searched enough"
    assert of.met == {}


def test_an_entry_is_stale_if_a_whole_search_did_not_meet_it() -> None:
    assert result(known=[KNOWN]).stale == [KNOWN]
    assert result(known=[KNOWN], now=MET).stale == []
    assert result(known=[KNOWN], now=CUT, ending=Ending.TIME).stale == []
    assert result(known=[KNOWN], now=progress(MANY)).stale == []


def test_what_was_met_is_counted_and_what_was_found_is_not_among_it() -> None:
    now = progress(passed_over=Counter({KNOWN.signature: 5, "PIN/full-replaced": 9}))
    assert result([finding()], now, known=[KNOWN]).met == {KNOWN: 5}


def test_another_signature_of_the_same_defect_is_the_same_known_finding() -> None:
    entry = replace(KNOWN, also=("LOCK/full-too-few",))
    now = progress(passed_over=Counter({KNOWN.signature: 5, "LOCK/full-too-few": 2}))
    one = result(now=now, known=[entry])
    assert (one.met, one.stale) == ({entry: 7}, [])
    assert one.verdict == "nothing new, 1 known finding passed over"
    other = progress(passed_over=Counter({"LOCK/full-too-few": 2}))
    assert result(now=other, known=[entry]).stale == []


def test_a_check_is_as_good_as_its_worst_system() -> None:
    assert found([result(), result([finding()])])
    assert not found([result(), result()])
    assert enough([result(), result([finding()])])
    assert not enough([result(), result(now=CUT, ending=Ending.TIME)])

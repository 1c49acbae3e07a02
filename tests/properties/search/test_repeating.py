"""Systems that do not do the same thing twice are told from those that do."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    HostInsert,
    Insert,
    Operation,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.sglang import store
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.drivers.soak import soak
from radixproof.properties.running.run import run_history
from radixproof.properties.search.budget import Budget
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.repeating import differs
from radixproof.properties.search.search import search
from toy_cache import ToyCache

from ...impl.sglang.scenarios.bench import RELEASES
from ...own_process import printed_by
from ..guarding import fatal

A = Key((1,))
TWO_LEAVES = History(Config(host_pages=0), (Insert(Key((1,))), Insert(Key((2,))), Evict(1)))


def test_repeat_is_broken_by_a_victim_chosen_by_chance() -> None:
    fatal.CHANCE.seed(1)
    found: list[Finding] = []
    search(
        fatal.by_chance(),
        1,
        Budget(steps=400, examples=0),
        lambda news: found.append(news) if isinstance(news, Finding) else None,
    )
    assert {each.signature.partition("/")[0] for each in found} == {"REPEAT"}
    evicting = next(each for each in found if each.signature == "REPEAT/evict")
    assert [type(operation) for operation in evicting.history.operations] == [Insert, Insert, Evict]
    assert evicting.verdict.breach.text.startswith("step 3, evict full 1: in one run ")


def test_repeat_names_what_is_different() -> None:
    fatal.CHANCE.seed(1)
    seen = differs(fatal.by_chance(), TWO_LEAVES)
    assert seen is not None
    assert seen.step == 2
    assert seen.breach.signature == "REPEAT/evict"
    one, other = "[1] holds FULL", "[2] holds FULL"
    texts = [f"in one run {a}, in another {b}" for a, b in ((one, other), (other, one))]
    assert seen.breach.text in [f"step 3, evict full 1: {text}" for text in texts]


def test_repeat_is_broken_by_what_only_the_search_saw() -> None:
    breach = Breach(Property.RECENCY, "order", "the wrong one went")
    found = settle(fatal.target(ToyCache), TWO_LEAVES, breach, (), lambda *_: None)
    assert found is not None
    assert found.signature == "REPEAT/evict"
    assert found.history == TWO_LEAVES
    assert found.verdict.breach.text == (
        "step 3, evict full 1: in the search, the wrong one went (RECENCY/order);"
        " when the same operations were run again, nothing was wrong"
    )
    assert (
        settle(fatal.target(ToyCache), TWO_LEAVES, breach, ("REPEAT/evict",), lambda *_: None)
        is None
    )


@pytest.mark.parametrize(
    ("fault", "operations", "signature", "hides"),
    [
        (
            "host-removal-not-announced",
            (HostInsert(A), EvictHost(1)),
            "EVENT/removed-missing",
            False,
        ),
        ("ack-keeps-lock", (Insert(A), WritingCheck(blocking=True)), "LOCK/full-too-many", True),
    ],
)
def test_what_is_known_hides_what_follows_it_and_nothing_else(
    fault: str, operations: tuple[Operation, ...], signature: str, hides: bool
) -> None:
    """Of what does not come again, where no model could go on after what is known."""
    target, history = find(f"fault:{fault}"), History(Config(), operations)
    assert run_history(target, history, signature.__ne__) is not None
    breach = Breach(Property.NOCRASH, "KeyError@Tree.evict", "it raised")
    found = settle(target, history, breach, {signature}, lambda *_: None)
    assert (found is None) == hides


@pytest.mark.parametrize(
    "name", ["radix", "fault:ack-keeps-lock", "fault:split-parent-not-backed-up"]
)
def test_ours_does_the_same_every_time(name: str) -> None:
    target = find(name)
    for ran in islice(soak(target, 3, lambda _: True), 6):
        assert differs(target, ran.history, runs=2) is None


SAME = """
import json, sys
from itertools import islice
from radixproof.impl.registry import find
from radixproof.properties.drivers.soak import soak
from radixproof.properties.search.repeating import differs

target = find("sglang==" + sys.argv[1])
seen = [differs(target, ran.history, 2) for ran in islice(soak(target, 3, lambda _: True), 6)]
print(json.dumps([str(each) for each in seen if each is not None]))
"""


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.release
@pytest.mark.parametrize("version", RELEASES)
def test_a_release_does_the_same_every_time(version: str) -> None:
    try:
        store.locate(version)
    except Unavailable as error:
        pytest.skip(str(error))
    assert json.loads(printed_by(SAME, version)) == []

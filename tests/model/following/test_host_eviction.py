"""The choices of a system on the host: what it evicts there, alone or to make room (semantics
7.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import Component, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.following.choice import Choice
from radixproof.model.following.host_eviction import FollowedHostEviction
from radixproof.model.specification.trie import Amounts
from radixproof.model.verdict import Breach

SWA = Component.SWA
UNSETTLED = Dialect(host_values_in_order=False)
"""Windows and states leave the host in any order."""
Start = Callable[..., Any]


@pytest.mark.parametrize(
    ("asked", "taken", "wrong"),
    [
        (1, ["1"], []),
        (1, ["2"], ["RECENCY/access-time"]),
        (1, [], ["PROGRESS/host-stopped-early"]),
        (2, ["1"], ["PROGRESS/host-stopped-early"]),
        (1, ["1", "2"], ["PROGRESS/host-freed-too-much"]),
        (0, ["1"], ["PROGRESS/host-freed-too-much"]),
    ],
)
def test_the_choice_on_the_host_is_judged_and_adopted(
    start: Start, asked: int, taken: list[str], wrong: list[str]
) -> None:
    cache = start()
    cache.demote("1", "2")
    assert cache.evict_host_as(asked, {"f": taken}) == (len(taken), wrong)
    assert set(cache.tree()) == {"1", "2"} - set(taken)


@pytest.mark.parametrize(
    ("order", "rules"),
    [
        (EvictionPolicy.LRU, {"2": "access-time", "3": "access-time"}),
        (EvictionPolicy.MRU, {"1": "access-time", "2": "access-time"}),
        (EvictionPolicy.LFU, {"1": "lfu", "2": "lfu"}),
        (EvictionPolicy.FIFO, {"2": "fifo", "3": "fifo"}),
        (EvictionPolicy.FILO, {"1": "filo", "2": "filo"}),
        (EvictionPolicy.PRIORITY, {"1": "priority", "3": "priority"}),
        (EvictionPolicy.SLRU, {"1": "slru", "2": "slru"}),
    ],
)
@pytest.mark.parametrize("dialect", [Dialect(), UNSETTLED], ids=["settled", "open"])
def test_on_the_host_too_a_system_is_held_to_its_order(
    start: Start, dialect: Dialect, order: EvictionPolicy, rules: dict[str, str]
) -> None:
    """Three leaves of which one may go."""
    for text in ("1", "2", "3"):
        cache = start(eviction_policy=order, dialect=dialect)
        for prompt, priority in (("1", 3), ("1", 0), ("2", 1), ("2", 0), ("3", 2)):
            cache.put(prompt, priority=priority)
        cache.demote()
        assert cache.evict_host_as(1, {"f": [text]}) == (
            1,
            [f"RECENCY/{rules[text]}"] if text in rules else [],
        )


@pytest.mark.parametrize(
    ("taken", "wrong"),
    [("1", []), ("1 2", ["RECENCY/access-time"]), ("9", ["RECENCY/access-time"])],
)
def test_a_system_takes_duplicates_in_their_order(
    duplicated: Start, taken: str, wrong: list[str]
) -> None:
    cache = duplicated()
    assert cache.evict_host_as(1, {"f": [taken]}) == (1, wrong)
    assert "f" not in cache.tree().get(taken, "")


@pytest.mark.parametrize(
    ("taken", "in_order", "in_any"), [("1", True, True), ("3", False, True), ("1 2", False, False)]
)
def test_in_sglang_duplicates_have_no_order_but_device_leaves_go_last(
    start: Start, taken: str, in_order: bool, in_any: bool
) -> None:
    """``1`` and ``3``, in this order, have children on the device."""
    for ordered, right in ((True, in_order), (False, in_any)):
        cache = start(
            write_back=True,
            eviction_policy=EvictionPolicy.FIFO,
            dialect=Dialect(duplicates_in_order=ordered),
        )
        cache.demote("1", "1 2", "3", "3 4")
        cache.put("1 2")
        cache.put("3 4")
        _, breaches = cache.evict_host_as(1, {"f": [taken]})
        assert (breaches == []) == right


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_of_duplicates_without_an_order_the_largest_may_have_gone_last(
    start: Start, asked: int
) -> None:
    """Of ``1 2`` and ``3``, which have children on the device, the first was used longer ago."""
    cache = start(write_back=True, dialect=Dialect(duplicates_in_order=False))
    cache.demote("1 2", "3")
    cache.put("1 2 5")
    cache.put("3 4")
    wrong = ["PROGRESS/host-freed-too-much"] if asked == 1 else []
    assert cache.evict_host_as(asked, {"f": ["1 2", "3"]}) == (3, wrong)


@pytest.mark.parametrize("taken", ["1", "1 2"])
def test_any_window_may_go_from_the_host(start: Start, taken: str) -> None:
    """Where a dialect has no order of windows and states on the host."""
    cache = start(window=2, dialect=Dialect(host_values_in_order=False))
    cache.demote("1", "1 2", "1 2 3")
    assert cache.evict_host_as(1, {"s": [taken]}, SWA) == (1, [])
    assert cache.tree()[taken] == "f|"


def test_windows_leave_the_host_in_order(start: Start) -> None:
    cache = start(window=2)
    cache.demote("1", "1 2", "1 2 3")
    order = ["RECENCY/swa_host-order"]
    assert cache.evict_host_as(1, {"s": ["1"]}, SWA) == (1, order)


def test_a_host_leaf_that_loses_its_window_is_deleted(start: Start) -> None:
    cache = start(window=2)
    cache.demote("1", "1 2")
    assert cache.evict_host_as(1, {"s": ["1 2"]}, SWA)[1] == ["PROGRESS/host-leaf-kept"]


def test_a_window_that_went_in_vain_was_too_much(start: Start) -> None:
    cache = start(window=2, dialect=Dialect(host_values_in_order=False))
    cache.demote("1", "1 2", "1 2 3")
    assert cache.evict_host_as(1, {"s": ["1", "1 2"]}, SWA) == (2, ["PROGRESS/host-freed-too-much"])


def follow(
    cache: Any, wanted: tuple[int, int, int], choice: Choice, exact: bool = True
) -> list[Breach]:
    eviction = FollowedHostEviction(cache.cache, Amounts(*wanted), choice, exact)
    eviction.run()
    return eviction.breaches


def test_what_made_room_on_the_host_is_followed_if_it_could_go(start: Start) -> None:
    cache = start()
    cache.demote("2", "2 3", "1")
    assert follow(cache, (2, 0, 0), cache.choice({"f": ["2", "2 3"]})) == []
    assert cache.tree() == {"1": "f|"}


def copied(start: Start, what: str) -> Any:
    """A prompt with a host copy that a system must not take."""
    cache = start(window=1, mamba=True)
    cache.put("1", state=True)
    if what != "in flight":
        cache.settle()
    if what == "host-locked":
        cache.lock_host("r1", "1")
        cache.evict(1)
    return cache


@pytest.mark.parametrize(
    ("what", "went"),
    [
        ("host-locked", "fsm"),
        ("on the device", "f"),
        ("on the device", "s"),
        ("in flight", "f"),
        ("in flight", "s"),
    ],
)
def test_host_copies_that_must_stay_are_not_given_up_in_silence(
    start: Start, what: str, went: str
) -> None:
    """There is a breach, or the model keeps the copy and differs from the system (semantics
    7.9)."""
    cache = copied(start, what)
    wrong = follow(cache, (0, 0, 0), cache.choice({letter: ["1"] for letter in went}))
    assert wrong or went in cache.tree()["1"]
    cache = copied(start, what)
    wrong = follow(
        cache,
        (1, 0, 0) if "f" in went else (0, 1, 0),
        cache.choice({letter: ["1"] for letter in went}),
    )
    assert wrong or went in cache.tree()["1"]


@pytest.mark.parametrize(
    ("wanted", "went", "signature"),
    [
        ((1, 0, 0), ["9"], "RECENCY/access-time"),
        ((0, 0, 0), ["1"], "PROGRESS/host-freed-too-much"),
        ((1, 0, 0), ["1", "5"], "PROGRESS/host-freed-too-much"),
        ((0, 0, 1), ["1", "5"], "PROGRESS/host-freed-too-much"),
    ],
)
def test_what_went_from_the_host_went_in_order_and_was_not_too_much(
    start: Start, wanted: tuple[int, int, int], went: list[str], signature: str
) -> None:
    cache = start(mamba=True)
    cache.demote("1", "5", "9")
    (breach,) = follow(cache, wanted, cache.choice({"f": went, "m": went}))
    assert breach.signature == signature


@pytest.mark.parametrize(("exact", "signatures"), [(True, ["RECENCY/access-time"]), (False, [])])
def test_room_may_have_been_made_for_a_state_that_was_refused(
    start: Start, exact: bool, signatures: list[str]
) -> None:
    """Then a leaf goes in the order of states, which is not known."""
    cache = start(mamba=True)
    cache.demote("1", "5", "9")
    cache.cache.refuse(Pool.MAMBA_HOST)
    choice = cache.choice({"f": ["9"], "m": ["9"]})
    eviction = FollowedHostEviction(cache.cache, Amounts(1), choice, exact)
    eviction.run()
    assert [breach.signature for breach in eviction.breaches] == signatures


def test_nodes_that_were_too_many_in_their_order_went_in_another(start: Start) -> None:
    """The last of them alone would not have been too much, but the first was enough."""
    cache = start()
    cache.demote("1 2", "3")
    (breach,) = follow(cache, (2, 0, 0), cache.choice({"f": ["1", "1 2", "3"]}))
    assert breach.signature == "RECENCY/access-time"


def test_who_may_have_had_reasons_that_do_not_show_is_not_counted(start: Start) -> None:
    cache = start()
    cache.demote("1", "5", "9")
    assert follow(cache, (1, 0, 0), cache.choice({"f": ["1", "5"]}), exact=False) == []


# -- where windows and states, or duplicates, have no order ----------------------------------------


def test_none_may_go_when_enough_is_free(start: Start) -> None:
    """All three would be few enough, in another order."""
    cache = start(dialect=UNSETTLED)
    cache.demote("1 2", "3 4", "5")
    gone = cache.choice({"f": ["1", "1 2", "3", "3 4", "5"]})
    freed, breaches = cache.follower.evict_host(4, Component.FULL, gone)
    assert freed == (5, 0, 0)
    assert [breach.signature for breach in breaches] == ["RECENCY/access-time"]
    assert breaches[0].text.startswith("the nodes evicted from the host would have been too many")


def test_how_many_went_in_vain_is_said(start: Start) -> None:
    cache = start(dialect=UNSETTLED)
    cache.demote("1", "2")
    _, breaches = cache.follower.evict_host(1, Component.FULL, cache.choice({"f": ["1", "2"]}))
    assert [breach.text for breach in breaches] == [
        "2 nodes were evicted from the host, more than it takes to free 1"
    ]


@pytest.mark.parametrize(
    ("asked", "taken", "wrong"),
    [
        (1, ["9"], ["RECENCY/access-time"]),
        (2, ["1", "1 2"], []),
        (3, ["1", "1 2", "9"], []),
        (2, ["1", "9"], ["RECENCY/access-time"]),
    ],
)
def test_host_leaves_go_after_duplicates_without_an_order(
    duplicated: Start, asked: int, taken: list[str], wrong: list[str]
) -> None:
    cache = duplicated(dialect=Dialect(duplicates_in_order=False))
    assert cache.evict_host_as(asked, {"f": taken}) == (len(taken), wrong)
    kept = {text for text, held in cache.tree().items() if "f" in held}
    assert kept == {"1", "1 2", "9"} - set(taken)


def test_windows_that_go_alone_and_with_their_leaf(start: Start) -> None:
    cache = start(window=1, dialect=UNSETTLED)
    cache.demote("1", "1 2", "3")
    gone = {"f": ["3"], "s": ["3", "1"]}
    assert cache.evict_host_as(2, gone, SWA) == (2, [])
    assert cache.tree() == {"1": "f|", "1 2": "fs|"}

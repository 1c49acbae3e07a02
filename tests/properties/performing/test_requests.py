"""Requests: their whole life on a real cache, step by step, and the ledger of what is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Evict,
    Finish,
    Insert,
    LoadBack,
    Lock,
    Match,
    Operation,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
)
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.outcomes import Done, Freed, Locked, Skipped

from ..deeds import (
    AB,
    ABC,
    HOSTLESS,
    LOADED,
    PLAIN,
    SETTLE,
    STATEFUL,
    WINDOWED,
    A,
    B,
    C,
    with_state,
    words,
)
from .watching import LONG, Watched, rows, said

EVERYTHING = Config(window=2, swa_pages=8, swa_host_pages=16, mamba_states=6, mamba_host_states=6)


# -- a life ------------------------------------------------------------------------------------


def test_the_life_of_a_request(watched: Callable[..., Watched]) -> None:
    """It comes, is computed in two chunks, goes on with the tree's slots after each, generates, and
    leaves its tokens behind.
    """
    run = watched(PLAIN)
    assert said(run.parts(Arrive("q", ABC))) == [
        "load_back [1 2 3]",
        "lock q's lock [1 2 3] -> 0 tokens locked",
    ]
    assert said(run.parts(Prefill("q", 2))) == [
        "prefill q tokens 2 -> 2",
        "insert [1 2] -> no tokens were there already",
        "adopt [1 2] as q's lock 1 -> 2 tokens locked",
        "unlock q's lock",
    ]
    assert said(run.parts(Prefill("q", 5))) == [
        "prefill q tokens 5 -> 1",
        "insert [1 2 3] evicted 2 -> 2 tokens were there already, 2 reused",
        "adopt [1 2 3] as q's lock 2 -> 3 tokens locked",
        "unlock q's lock 1",
    ]
    assert said(run.parts(Prefill("q"))) == ["prefill q -> skipped: its prompt is computed"]
    assert said(run.parts(Decode("q", (4, 5)))) == ["decode q tokens (4, 5) -> 2"]
    assert said(run.parts(Finish("q"))) == [
        "insert [1 2 3 4 5] evicted 3 -> 3 tokens were there already, 3 reused",
        "unlock q's lock 2",
    ]
    assert said(run.parts(Match(LONG))) == ["match [1 2 3 4 5 6] -> 5 tokens on device"]
    assert said(run.parts(Finish("q"))) == ["finish q -> skipped: there is no request q"]


def test_a_request_whose_answer_is_not_to_be_kept_leaves_its_prompt(
    watched: Callable[..., Watched],
) -> None:
    run = watched(PLAIN)
    for operation in (Arrive("q", ABC), Prefill("q", 2), Prefill("q"), Decode("q", (4, 5))):
        run.parts(operation)
    assert said(run.parts(Finish("q", prompt_only=True)))[0] == (
        "insert [1 2 3] evicted 3 -> 3 tokens were there already, 3 reused"
    )
    assert said(run.parts(Match(LONG))) == ["match [1 2 3 4 5 6] -> 3 tokens on device"]


@pytest.mark.parametrize("answer", [(), (7,)], ids=["without an answer", "with one"])
def test_a_state_that_sums_up_an_answer_is_not_inserted_for_its_prompt(
    watched: Callable[..., Watched], answer: tuple[int, ...]
) -> None:
    run = watched(STATEFUL)
    run.parts(Arrive("q", LONG))
    run.parts(Prefill("q", 6))
    if answer:
        run.parts(Decode("q", answer))
    insert = run.parts(Finish("q", prompt_only=True))[0].operation
    assert insert == Insert(LONG, evicted=6, state=not answer)
    assert rows(run) == [0, 0, 0]


@pytest.mark.parametrize(("past_stop", "kept"), [(1, 4), (2, 3), (3, 3), (9, 3)])
def test_what_is_past_a_stop_is_not_kept_and_the_prompt_is(
    watched: Callable[..., Watched], past_stop: int, kept: int
) -> None:
    run = watched(Config())
    for operation in (Arrive("q", ABC), Prefill("q", 3), Decode("q", (4, 5))):
        run.parts(operation)
    run.parts(Finish("q", past_stop=past_stop))
    assert said(run.parts(Match(LONG))) == [f"match [1 2 3 4 5 6] -> {kept} tokens on device"]


def test_nothing_is_inserted_for_a_prompt_where_an_insert_must_bring_a_state(radix: Target) -> None:
    scope = replace(radix.scope, stateless_inserts=False)
    run = Watched(replace(radix, scope=scope), STATEFUL)
    for operation in (Arrive("q", AB), Prefill("q", 2), Decode("q", (7,))):
        run.parts(operation)
    steps = run.parts(Finish("q", prompt_only=True))
    assert not any(isinstance(step.operation, Insert) for step in steps)
    assert rows(run) == [0, 0, 0]


def test_a_request_that_is_aborted_leaves_what_it_had_inserted(
    watched: Callable[..., Watched],
) -> None:
    run = watched(WINDOWED)
    run.parts(Arrive("q", ABC))
    run.parts(Prefill("q", 2))
    run.parts(Decode("q"))
    run.parts(Prefill("q"))
    run.parts(Decode("q", (4, 5)))
    assert said(run.parts(Abort("q")))[-1].startswith("unlock q's lock")
    assert run.parts(Match(LONG))[0].outcome == run.parts(Match(ABC))[0].outcome
    assert said(run.parts(Arrive("q", ABC)))[-1] == "lock q's lock [1 2 3] -> 3 tokens locked"


def test_a_request_begins_where_the_cache_ends(watched: Callable[..., Watched]) -> None:
    """It is given the tree's slots for what is there, and computes the rest."""
    run = watched(PLAIN)
    run.parts(Insert(AB))
    (lock,) = run.parts(Arrive("q", ABC))[1:]
    request = run.request()
    assert (lock.outcome, request.protected, request.computed) == (Locked(2), 2, 2)
    assert request.row == list(lock.slots)
    assert run.ledger.shared["q"].slots == request.row
    assert run.judge.model.trie.rows[Pool.FULL] == 0


def test_a_request_loads_back_what_it_finds_on_the_host(watched: Callable[..., Watched]) -> None:
    run = watched(EVERYTHING)
    for operation in (with_state(AB), SETTLE, Evict(2)):
        run.parts(operation)
    loaded, copied, locked = said(run.parts(Arrive("q", ABC)))
    assert loaded == "load_back [1 2 3] -> 2"
    assert copied == "copy the state of [1 2 3] -> 1"
    assert locked == "lock q's lock [1 2 3] -> 2 tokens locked"
    run.parts(LOADED)


def test_a_request_keeps_to_its_quota(watched: Callable[..., Watched]) -> None:
    run = watched(PLAIN)
    for operation in (Insert(AB), SETTLE, Evict(2)):
        run.parts(operation)
    assert said(run.parts(Arrive("q", ABC, quota=1)))[0] == "load_back [1 2 3] quota 1"
    assert run.request().protected == 0


def test_without_a_host_tier_nothing_is_loaded_back(watched: Callable[..., Watched]) -> None:
    assert said(watched(HOSTLESS).parts(Arrive("q", A))) == ["lock q's lock [1] -> 0 tokens locked"]


# -- slots -------------------------------------------------------------------------------------


def test_the_ledger_of_rows(watched: Callable[..., Watched]) -> None:
    """Slots are the request's from their allocation until the tree takes them, whole pages at a
    time.
    """
    run = watched(Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16))
    run.parts(Arrive("q", Key((1, 2, 3, 4, 5))))
    assert rows(run) == [0, 0, 0]
    run.parts(Prefill("q", 1))
    assert rows(run) == [2, 2, 0]
    assert len(run.ledger.peers) == 2
    run.parts(Prefill("q", 2))
    assert rows(run) == [2, 2, 0]
    assert (run.request().protected, run.request().computed) == (2, 3)
    run.parts(Prefill("q", 2))
    assert rows(run) == [2, 2, 0]
    assert (run.request().protected, run.request().computed) == (4, 5)
    run.parts(Abort("q"))
    assert rows(run) == [0, 0, 0]


def test_the_window_slides_and_gives_its_slots_back(watched: Callable[..., Watched]) -> None:
    """What the window has left is freed while the request still computes; its insert brings
    tombstones.
    """
    run = watched(replace(WINDOWED, device_pages=12))
    run.parts(Arrive("q", LONG))
    assert (
        said(run.parts(Prefill("q", 6)))[1]
        == "insert [1 2 3 4 5 6] evicted 4 -> no tokens were there already"
    )
    run.parts(Decode("q", (7, 8)))
    assert run.request().evicted == 6
    assert rows(run) == [2, 2, 0]
    run.parts(Decode("q", (9, 1)))
    assert (run.request().evicted, rows(run)) == (8, [4, 2, 0])
    assert said(run.parts(Finish("q")))[0].startswith(
        "insert [1 2 3 4 5 6 7 8 9 1] evicted 8 -> 6 tokens"
    )


def test_a_window_that_has_left_the_prefix_is_released_early_and_once(
    watched: Callable[..., Watched],
) -> None:
    run = watched(WINDOWED)
    run.parts(Arrive("q", AB))
    run.parts(Prefill("q", 2))
    assert not run.request().released
    assert [step.operation for step in run.parts(Decode("q", (3,)))][1:] == []
    assert [step.operation for step in run.parts(Decode("q", (4,)))][1:] == [
        ReleaseWindow("q's lock 1")
    ]
    assert [step.operation for step in run.parts(Decode("q", (5,)))][1:] == []
    holder = run.judge.holder(run.request().lock)
    assert run.judge.model.receipts[holder].keys() == {Pool.FULL}


def test_a_system_that_cannot_release_a_window_is_not_asked_to(
    radix: Target, watched: Callable[..., Watched]
) -> None:
    offers = tuple(kind for kind in radix.scope.operations if kind not in (ReleaseWindow, LoadBack))
    run = watched(WINDOWED, replace(radix, scope=replace(radix.scope, operations=offers)))
    assert [step.operation for step in run.parts(Arrive("q", A))] == [Lock("q's lock", A)]
    run.parts(Prefill("q"))
    assert [step.operation for step in run.parts(Decode("q", (2, 3)))] == [Decode("q", (2, 3))]


def test_room_is_made_before_it_is_needed(watched: Callable[..., Watched]) -> None:
    run = watched(Config(device_pages=3))
    for operation in (Insert(B), Insert(C), SETTLE, Arrive("q", ABC)):
        run.parts(operation)
    steps = run.parts(Prefill("q", 3))
    assert (steps[0].operation, steps[0].outcome) == (Evict(2), Freed(2))
    assert steps[1].outcome == Done(3)


def test_what_cannot_be_computed_for_want_of_room_is_left_as_it_was(
    watched: Callable[..., Watched],
) -> None:
    run = watched(Config(device_pages=2))
    run.parts(Arrive("q", ABC))
    assert said(run.parts(Prefill("q", 3))) == [
        "evict full 1 -> freed nothing",
        "prefill q tokens 3 -> skipped: the device pools have no room",
    ]
    run.parts(Prefill("q", 1))
    run.parts(Prefill("q", 1))
    before = run.request().key
    assert said(run.parts(Decode("q", (4,)))) == [
        "decode q tokens (4,) -> skipped: its prompt is not computed yet"
    ]
    assert (
        said(run.parts(Prefill("q", 1)))[-1]
        == "prefill q -> skipped: the device pools have no room"
    )
    assert (run.request().key, run.request().computed, len(run.request().row)) == (before, 2, 2)


def test_a_decode_without_room_generates_nothing(watched: Callable[..., Watched]) -> None:
    run = watched(Config(device_pages=1))
    run.parts(Arrive("q", A))
    run.parts(Prefill("q"))
    assert (
        said(run.parts(Decode("q", (2,))))[-1]
        == "decode q tokens (2,) -> skipped: the device pools have no room"
    )
    assert run.request().key == A


def test_an_allocation_that_was_told_to_fail_does_so_once(watched: Callable[..., Watched]) -> None:
    run = watched(PLAIN)
    run.parts(Arrive("q", A))
    run.parts(Refuse(Pool.FULL))
    assert isinstance(run.parts(Prefill("q"))[-1].outcome, Skipped)
    assert run.parts(Prefill("q"))[0].outcome == Done(1)


# -- several -----------------------------------------------------------------------------------


def test_several_are_alive_at_a_time(watched: Callable[..., Watched]) -> None:
    """The second one to compute the same finds the first one's slots in the tree, and goes on with
    them; its own are freed.
    """
    run = watched(PLAIN)
    for name in ("q", "p"):
        run.parts(Arrive(name, ABC))
    run.parts(Prefill("q", 3))
    assert rows(run) == [0, 0, 0]
    assert said(run.parts(Prefill("p", 2)))[1] == "insert [1 2] -> 2 tokens were there already"
    assert run.request("p").row == run.request("q").row[:2]
    run.parts(Prefill("p", 3))
    assert run.request("p").row == run.request("q").row
    for name, tokens in (("q", (4,)), ("p", (5,)), ("q", (6,))):
        run.parts(Decode(name, tokens))
    assert rows(run) == [3, 0, 0]
    assert len(run.judge.model.receipts) >= 2
    run.parts(Finish("p"))
    run.parts(Finish("q"))
    assert said(run.parts(Match(Key((1, 2, 3, 4, 6)))))[0].endswith("5 tokens on device")
    assert said(run.parts(Match(Key((1, 2, 3, 5)))))[0].endswith("4 tokens on device")


def test_a_name_is_taken_as_long_as_its_request_is_alive(watched: Callable[..., Watched]) -> None:
    run = watched(PLAIN)
    run.parts(Arrive("q", A))
    assert said(run.parts(Arrive("q", B))) == ["arrive q [2] -> skipped: q is running"]
    run.parts(Abort("q"))
    assert run.parts(Arrive("q", B))[-1].outcome == Locked(0)


def test_a_cache_with_a_request_alive_is_not_idle(watched: Callable[..., Watched]) -> None:
    run = watched(PLAIN)
    run.parts(Arrive("q", A))
    assert said(run.parts(Reset())) == ["reset -> skipped: the cache is not idle"]
    run.parts(Abort("q"))
    assert run.parts(Reset())[0].outcome == Done()


@pytest.mark.parametrize(
    "operation", [Prefill("q"), Decode("q"), Finish("q"), Abort("q")], ids=words
)
def test_what_nobody_asked_for_is_skipped(
    watched: Callable[..., Watched], operation: Operation
) -> None:
    assert watched(PLAIN).parts(operation)[0].outcome == Skipped("there is no request q")

"""The ledger: what is whose, what was told of it, and what content has which name."""

from __future__ import annotations

from dataclasses import replace

from radixproof.impl.operations import Arrive, Insert, Lock, Prefill, ReleaseWindow, Unlock
from radixproof.impl.system import Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.performing.ledger import (
    ContentTags,
    Ledger,
    Receipt,
    Request,
    RequestLock,
)
from radixproof.properties.performing.performer import Performer

from ..deeds import AB, ABC, HOSTLESS, PLAIN, STATEFUL, WINDOWED, A

PAIRS = replace(PLAIN, bigram=True)


# -- slots -------------------------------------------------------------------------------------


def test_what_is_taken_is_held_until_it_is_given() -> None:
    ledger = Ledger(PLAIN)
    ledger.take(Pool.FULL, [2, 3])
    assert ledger.rows[Pool.FULL] == {2, 3}
    ledger.give(Pool.FULL, [3])
    assert ledger.rows[Pool.FULL] == {2}


def test_allocations_are_told_once_and_what_is_handed_over_is_told_too() -> None:
    """That nothing is given is no news: it says nothing of whether the pool has served anybody."""
    ledger = Ledger(PLAIN)
    ledger.take(Pool.FULL, [2, 3])
    ledger.give(Pool.FULL, [3])
    ledger.give(Pool.SWA, [])
    ledger.hand_over(Pool.MAMBA)
    assert ledger.allocations() == [(Pool.FULL, 2), (Pool.FULL, -1), (Pool.MAMBA, 0)]
    assert ledger.allocations() == []


def test_tokens_are_taken_from_every_pool_that_has_them_on_the_device() -> None:
    assert Ledger(PLAIN).token_pools == (Pool.FULL,)
    assert Ledger(WINDOWED).token_pools == (Pool.FULL, Pool.SWA)
    assert Ledger(STATEFUL).token_pools == (Pool.FULL,)


def test_what_is_cut_off_a_row_is_nobodys() -> None:
    ledger = Ledger(WINDOWED)
    request = Request("q", ABC, RequestLock("q"), None, [], [], 0, 0, 0)
    ledger.extend_row(request, [2, 3, 4], [5, 6, 7])
    assert ledger.cut_row(request, 1) == [3, 4]
    assert (request.row, request.peers, ledger.peers) == ([2], [5], {2: 5})
    assert (ledger.rows[Pool.FULL], ledger.rows[Pool.SWA]) == ({2}, {5})
    assert ledger.cut_row(request, 1) == []


# -- receipts and requests ---------------------------------------------------------------------


def performed(target: Target, config: Config, *operations: object) -> Ledger:
    performer = Performer(target, config)
    for operation in operations:
        list(performer.perform(operation))  # type: ignore[arg-type]
    return performer.ledger


def test_a_window_is_locked_until_it_is_released(radix: Target) -> None:
    before = (Insert(AB), Lock("r", AB))
    assert performed(radix, WINDOWED, *before).has_window("r")
    released = performed(radix, WINDOWED, *before, ReleaseWindow("r"))
    assert released.has_receipt("r")
    assert not released.has_window("r")
    assert not performed(radix, WINDOWED, *before, Unlock("r")).has_receipt("r")


def test_without_swa_there_is_a_window_only_where_there_is_a_state() -> None:
    """What a lock of nothing covers: of SWA an empty window, of MAMBA not even that."""
    for config, length, has in (
        (PLAIN, 2, False),
        (WINDOWED, 0, True),
        (STATEFUL, 0, False),
        (STATEFUL, 2, True),
    ):
        ledger = Ledger(config)
        ledger.receipts["r"] = Receipt(None, length)
        assert ledger.has_window("r") == has
        ledger.receipts["r"] = Receipt(None, length, on_host=True)
        assert not ledger.has_window("r")


def test_a_request_is_known_by_what_is_left_of_its_prompt(radix: Target) -> None:
    ledger = performed(radix, HOSTLESS, Arrive("q", ABC))
    assert (ledger.left_of("q"), ledger.left_of("p"), ledger.idle) == (3, None, False)
    assert performed(radix, HOSTLESS, Arrive("q", ABC), Prefill("q", 2)).left_of("q") == 1


def test_requests_stand_in_the_order_of_their_locks(radix: Target) -> None:
    ledger = performed(radix, HOSTLESS, Arrive("q", ABC), Arrive("p", Key((9,))), Prefill("q", 1))
    assert list(ledger.requests) == ["p", "q"]


def test_what_a_request_relies_on_is_noted_with_its_prefix(radix: Target) -> None:
    ledger = performed(radix, HOSTLESS, Insert(A), Arrive("q", ABC))
    assert ledger.shared["q"] == (A, ledger.requests["q"].row)
    assert performed(radix, HOSTLESS, Arrive("q", ABC)).shared == {}


def test_locks_of_a_request_have_names_of_their_own() -> None:
    first, tenth = RequestLock("q"), RequestLock("q", 10)
    assert (first, tenth) == ("q's lock", "q's lock 10")
    assert (tenth.owner, tenth.number) == ("q", 10)


# -- keys and content --------------------------------------------------------------------------


def test_a_prefix_has_so_many_units() -> None:
    assert Ledger(PLAIN).prefix(ABC, 2) == AB
    assert Ledger(PAIRS).prefix(ABC, 1) == AB
    assert Ledger(PAIRS).prefix(ABC, 0) == Key(())
    assert Ledger(PAIRS).units(ABC) == ((1, 2), (2, 3))


def test_tags_name_prefixes() -> None:
    tags = ContentTags()
    long = tags.of("", 0, (1, 2, 3, 4))
    assert len(set(long)) == 4
    assert 0 not in long
    assert tags.of("", 0, (1, 2, 3, 4)) == long
    assert tags.of("", 0, (1, 2)) == long[:2]
    assert tags.of("", long[1], (3, 4)) == long[2:]
    assert tags.of("", 0, (1, 9))[0] == long[0]
    others = [
        tags.of("", 0, (3, 4)),
        tags.of("a", 0, (1, 2)),
        tags.of("", 0, (1, 9))[1:],
        tags.of("", long[1], (3, 9))[1:],
    ]
    assert not {tag for other in others for tag in other} & set(long)


def test_a_tag_is_named_by_the_prefix_that_it_stands_for() -> None:
    tags = ContentTags()
    one, two = tags.of("", 0, [7, 8])
    (other,) = tags.of("a", 0, [7])
    (below,) = tags.of("", one, [9])
    pairs = tags.of("", 0, [(1, 2), (2, 3)])
    assert [tags.named(tag) for tag in (one, two, other, below, pairs[1])] == [
        "the content of [7]",
        "the content of [7 8]",
        "the content of a:[7]",
        "the content of [7 9]",
        "the content of [1 2 3]",
    ]
    assert tags.named(0) == "nothing that was computed"
    assert tags.named(99) == "99, which stands for no content"

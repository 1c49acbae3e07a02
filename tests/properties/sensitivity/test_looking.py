"""What is compared of two runs: all that means anything, and nothing else."""

from __future__ import annotations

from typing import Any

from radixproof.impl.operations import Evict, History, Insert, LoadBack, Lock, Match, Operation
from radixproof.impl.registry import find
from radixproof.impl.sabotage.planting import Sabotaged
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.sensitivity.looking import seen
from radixproof.properties.sensitivity.stories import story

A, AB, B = (Key(tokens) for tokens in ((1,), (1, 2), (2,)))
ALONE = Config(host_pages=0)


def differs(kind: str, at: int, *operations: Operation) -> bool:
    history = History(ALONE, operations)
    clean = list(seen(find("radix"), history, 0))
    return clean != list(seen(Sabotaged(kind, at).target(), history, 0))


def test_which_of_a_node_and_one_above_it_was_used_later_means_nothing() -> None:
    """A match of the upper half of a split: it has its turn after the lower all the same."""
    assert not differs("use-not-noted", 0, Insert(AB), Match(A))


def test_which_of_two_others_was_used_later_is_seen() -> None:
    assert differs("use-not-noted", 0, Insert(A), Insert(B), Match(A))


def test_which_of_two_victims_of_one_eviction_goes_first_means_nothing_where_both_go() -> None:
    assert not differs("another-victim", 0, Insert(A), Insert(B), Evict(2))
    assert differs("another-victim", 0, Insert(A), Insert(B), Evict(1))


def test_no_history_uses_a_match_that_stands_no_more() -> None:
    """Without a judge who skips that, a run would end there, and no difference would be seen."""
    uses: list[Any] = []
    for number in (31, 163, 379):
        history = story(4, number).history
        kept = [one for one in history.operations if isinstance(one, Lock | LoadBack)]
        uses += [one for one in kept if one.kept is not None]
        assert len(list(seen(find("radix"), history, 0))) == len(history.operations)
    assert uses

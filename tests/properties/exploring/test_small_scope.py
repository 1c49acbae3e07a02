"""Alphabets, and scopes from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.impl.operations import (
    Evict,
    History,
    Insert,
    Lock,
    Match,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Config, EvictionPolicy
from radixproof.model.key import Key
from radixproof.properties.exploring.small_scope import (
    DEPTH,
    MOST_OPERATIONS,
    SmallScope,
    from_file,
    operations,
    prompts,
)
from radixproof.properties.histories.history_json import to_json

SWA = Config(page_size=2, window=1, swa_pages=4, swa_host_pages=4)


def test_prompts_are_of_whole_pages_of_two_kinds() -> None:
    assert prompts(Config(page_size=2), 1) == [Key((1, 1)), Key((2, 2))]
    assert len(prompts(Config(), 3)) == 2 + 4 + 8


def test_an_insert_comes_with_its_window_or_without() -> None:
    made = operations(SWA, [Key((1, 1, 2, 2))], [Insert])
    assert [one.evicted for one in made if isinstance(one, Insert)] == [0, 2]
    urgent = Config(eviction_policy=EvictionPolicy.PRIORITY, mamba_states=1, mamba_host_states=1)
    made = operations(urgent, [Key((1,))], [Insert])
    assert {(one.state, one.priority) for one in made if isinstance(one, Insert)} == {
        (True, 0),
        (True, 1),
        (False, 0),
        (False, 1),
    }


def test_an_alphabet_is_in_the_order_of_its_kinds() -> None:
    made = operations(SWA, [Key((1, 1))], [Match, Lock, Evict])
    assert list(map(type, made)) == [Match, Lock, Unlock, Evict, Evict]


def test_every_rank_runs_its_copies() -> None:
    made = operations(Config(ranks=2), [], [RunCopies])
    assert made[:3] == (RunCopies(1), RunCopies(1, rank=1), WritingCheck())


def test_a_history_file_is_a_scope(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    match = Match(Key((1,)))
    file.write_text(to_json(History(Config(), (match, Insert(Key((1,))), match))))
    scope = from_file(file)
    assert (scope.name, scope.depth) == (str(file), DEPTH)
    assert scope.operations == (match, Insert(Key((1,))))
    assert str(scope) == str(file)


@pytest.mark.parametrize("count", [0, MOST_OPERATIONS + 1])
def test_a_scope_has_something_to_explore_and_not_too_much(count: int) -> None:
    every = tuple(Match(Key((number,))) for number in range(count))
    with pytest.raises(ValueError, match=f"mine: a scope has 1 to 256 .* got {count}"):
        SmallScope("mine", Config(), every, 1)

"""What a scope is, and scopes from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.impl.operations import History, Insert, Match, WritingCheck
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.exploring.small_scope import (
    DEPTH,
    MOST_OPERATIONS,
    SmallScope,
    from_file,
)
from radixproof.properties.histories.history_json import to_json


def test_in_a_settled_scope_backups_are_done_with_the_insert_that_starts_them() -> None:
    insert, match = Insert(Key((1,))), Match(Key((1,)))
    scope = SmallScope("mine", Config(), (insert, match), 2)
    assert scope.done_by(0) == (insert,)
    settled = replace(scope, settled=True)
    assert settled.done_by(0) == (insert, WritingCheck(blocking=True))
    assert settled.done_by(1) == (match,)


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

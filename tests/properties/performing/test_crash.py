"""What a system raised, named by where it began."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial

import pytest

import toy_adapter
from radixproof.impl.operations import History, Insert, Match
from radixproof.model.key import Key
from radixproof.properties.generating.configs import plainest
from radixproof.properties.performing.crash import LONGEST, crash, is_from_the_system
from radixproof.properties.performing.performer import Performer
from radixproof.properties.running.run import run_history
from toy_cache import Node, ToyCache


class Panic(BaseException):
    """As Rust's are: no `Exception`."""


def breaks() -> None:
    raise Panic("a lock strands a node")


def cleans_up(error: BaseException) -> None:
    raise error


def evicts(error: BaseException) -> None:
    try:
        breaks()
    finally:
        cleans_up(error)


def test_of_several_panics_the_first_is_told() -> None:
    with pytest.raises(Panic) as raised:
        evicts(Panic("poisoned"))
    found = crash(raised.value)
    assert (found.error, found.message, found.where) == ("Panic", "a lock strands a node", "breaks")


def test_another_error_on_the_way_is_told_itself() -> None:
    with pytest.raises(KeyError) as raised:
        evicts(KeyError("gone"))
    assert crash(raised.value).error == "KeyError"


class Stops(ToyCache):
    def split(self, lower: Node, at: int) -> Node:
        raise StopIteration("no more")


class Leaves(ToyCache):
    def split(self, lower: Node, at: int) -> Node:
        raise GeneratorExit("enough")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Stops, "StopIteration in Stops.split: no more"),
        (Leaves, "GeneratorExit in Leaves.split: enough"),
    ],
)
def test_what_ends_a_generator_of_the_harness_is_told_itself(
    kind: type[ToyCache], told: str
) -> None:
    target = replace(toy_adapter.target, build=partial(toy_adapter.Adapter, kind=kind))
    config = replace(plainest(target.scope), page_size=1)
    split = History(config, (Insert(Key((1, 2))), Match(Key((1,)))))
    found = run_history(target, split)
    assert found is not None
    assert found.breach.signature.startswith("NOCRASH/")
    assert found.breach.text.endswith(told)


def test_a_generator_of_the_harness_can_be_left() -> None:
    config = replace(plainest(toy_adapter.target.scope), page_size=1)
    parts = Performer(toy_adapter.target, config).perform(Insert(Key((1, 2))))
    assert isinstance(parts, Generator)
    next(parts)
    parts.close()


def _nothing() -> Iterator[int]:
    yield next(iter(()))


def test_what_came_through_a_generator_is_from_where_it_began() -> None:
    with pytest.raises(RuntimeError) as raised:
        list(_nothing())
    raised.value.with_traceback(None)  # as if the caller had been one of ours
    assert is_from_the_system(raised.value)
    assert crash(raised.value).where == "_nothing"


def test_an_error_that_names_a_cause_of_its_own_is_told_itself() -> None:
    with pytest.raises(RuntimeError) as raised:
        raise RuntimeError("no room") from StopIteration()
    assert crash(raised.value).error == "RuntimeError"


class Wordless(Exception):
    def __str__(self) -> str:
        raise KeyError("text")


def test_an_error_whose_text_cannot_be_made_is_told_all_the_same() -> None:
    found = crash(Wordless())
    assert str(found) == "Wordless: its text cannot be made (KeyError)"


def test_what_cannot_be_printed_of_a_message_is_escaped() -> None:
    odd = "\x1b[31mrot\x07 \x00 \udc80 \u2009 ü 木 \U0001f600 \\ 'a' \"b\""
    assert crash(ValueError(odd)).message == (
        "\\x1b[31mrot\\x07 \\x00 \\udc80 \\u2009 ü 木 \U0001f600 \\ 'a' \"b\""
    )
    assert len(crash(ValueError("\x00" * 500)).message) == LONGEST

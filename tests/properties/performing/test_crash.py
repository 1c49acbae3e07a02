"""What a system raised, named by where it began."""

from __future__ import annotations

import pytest

from radixproof.properties.performing.crash import crash


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

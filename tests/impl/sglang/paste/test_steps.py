"""Which steps of a history are left out, and which receipts are kept."""

from __future__ import annotations

from radixproof.impl.operations import (
    History,
    Insert,
    LoadBack,
    Lock,
    Operation,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
)
from radixproof.impl.sglang.paste.steps import planned
from radixproof.model.config import Config
from radixproof.model.key import Key

from .findings import FULL_ONLY, HOSTLESS, SWA

KEY = Key((1, 2))
NEW, OLD = "0.5.19", "0.5.13.post1"


def reasons(config: Config, *operations: Operation, version: str = NEW) -> list[str | None]:
    return [step.reason for step in planned(History(config, operations), version)]


def test_receipts_are_followed() -> None:
    lock, unlock = Lock("r", KEY), Unlock("r")
    assert reasons(SWA, lock, lock, Reset(), unlock, unlock, Reset(), lock) == [
        None,
        "r is taken",
        "the cache is not idle",
        None,
        "there is no receipt r",
        None,
        None,
    ]


def test_a_window_is_given_back_once_and_where_there_is_one() -> None:
    lock, release = Lock("r", KEY), ReleaseWindow("r")
    gone = "the window of r is not locked"
    assert reasons(SWA, release, lock, release, release) == [gone, None, None, gone]
    assert reasons(FULL_ONLY, lock, release) == [None, gone]
    assert reasons(SWA, lock, release, version=OLD) == [None, "the system has no such operation"]


def test_an_unlock_knows_whether_its_window_was_given_back() -> None:
    operations = (Lock("r", KEY), ReleaseWindow("r"), Unlock("r"), Lock("r", KEY), Unlock("r"))
    steps = planned(History(SWA, operations), NEW)
    assert [step.window_released for step in steps] == [False, False, True, False, False]


def test_what_the_configuration_lacks_is_left_out() -> None:
    assert reasons(HOSTLESS, LoadBack(KEY), RunCopies()) == ["there is no host tier"] * 2
    assert reasons(FULL_ONLY, Insert(KEY, 1)) == ["there is no SWA"]
    assert reasons(SWA, Insert(KEY, 3), RunCopies(fail=True)) == [
        "the SWA boundary is beyond the prompt",
        "copies of this system cannot fail",
    ]

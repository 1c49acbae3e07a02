"""RACE: what nothing orders."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import (
    Arrive,
    Decode,
    Evict,
    Finish,
    History,
    HostInsert,
    Insert,
    LoadBack,
    Operation,
    Prefill,
    Reset,
    RunForward,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.streams import (
    BACKUP,
    COMPUTE,
    FETCH,
    FORWARD,
    HOST,
    LOAD,
    Access,
    Awaited,
    Entry,
    Recorded,
)
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.properties.judging.races import Races
from radixproof.properties.running.run import run_history

A, AB, B = Key((1,)), Key((1, 2)), Key((2,))
COMPUTED = Access(COMPUTE, Pool.FULL, [3, 4], writes=True, by=FORWARD)
BACKED_UP = Access(BACKUP, Pool.FULL, [4], writes=False, by=BACKUP)


def raced(*entries: Entry) -> list[str]:
    return [breach.signature for breach in Races().follow(entries, "insert [1]")]


def test_two_streams_are_ordered_by_an_event() -> None:
    assert raced(COMPUTED, Recorded(COMPUTE, 1), Awaited(BACKUP, 1), BACKED_UP) == []
    assert raced(COMPUTED, BACKED_UP) == ["RACE/backup-after-forward"]
    # An event that was recorded before.
    assert raced(Recorded(COMPUTE, 1), COMPUTED, Awaited(BACKUP, 1), BACKED_UP) == [
        "RACE/backup-after-forward"
    ]
    assert raced(COMPUTED, Awaited(BACKUP, 7), BACKED_UP) == ["RACE/backup-after-forward"]


def test_what_the_host_has_waited_for_is_before_all_that_it_submits() -> None:
    assert raced(COMPUTED, Recorded(COMPUTE, 1), Awaited(HOST, 1), BACKED_UP) == []
    fetched = Access(HOST, Pool.FULL, [4], writes=True, by=FETCH)
    assert raced(COMPUTED, fetched) == ["RACE/fetch-after-forward"]
    assert raced(fetched, BACKED_UP) == []


def test_order_passes_on() -> None:
    through = (Recorded(COMPUTE, 1), Awaited(LOAD, 1), Recorded(LOAD, 2), Awaited(BACKUP, 2))
    assert raced(COMPUTED, *through, BACKED_UP) == []


def test_reads_need_no_order_among_themselves_but_a_write_comes_after_all_of_them() -> None:
    also = Access(LOAD, Pool.FULL, [4], writes=False, by=LOAD)
    assert raced(BACKED_UP, also) == []
    assert raced(BACKED_UP, also, COMPUTED) == [
        "RACE/forward-after-backup",
        "RACE/forward-after-load-back",
    ]
    other = Access(LOAD, Pool.SWA, [4], writes=True, by=LOAD)
    assert raced(BACKED_UP, other) == []


def test_a_report_names_both_operations_and_the_missing_edge() -> None:
    races = Races()
    races.follow([COMPUTED], "decode q 5 launched")
    (breach,) = races.follow([Access(BACKUP, Pool.FULL, [3, 4], False, BACKUP)], "finish q")
    assert breach.text == (
        "FULL slot 3 and 1 more: the backup of 'finish q' reads what the forward pass of"
        " 'decode q 5 launched' writes, and nothing orders the two: the backup stream does not wait"
        " for the compute stream"
    )
    breach, _ = races.follow([Access(HOST, Pool.FULL, [3], True, FETCH)], "host_insert [2]")
    assert breach.text.endswith("the host has not waited for it")


def test_a_copy_that_a_reset_has_forgotten_is_named_as_such() -> None:
    races = Races()
    races.follow([BACKED_UP], "insert [1]")
    races.reset()
    (breach,) = races.follow([COMPUTED], "insert [2]")
    assert breach.signature == "RACE/after-reset"
    assert breach.text == (
        "FULL slot 4: the forward pass of 'insert [2]' writes what the backup of 'insert [1]'"
        " reads, and nothing orders the two: a reset came between, and did not wait for it"
    )
    # A forward pass in flight is no copy: that the next stream waits for it is another matter.
    races.reset()
    assert [breach.rule for breach in races.follow([BACKED_UP], "insert [3]")] == [
        "backup-after-forward"
    ]


ENDED: list[Operation] = [Arrive("q", Key(())), Decode("q", launched=True), Finish("q")]


@pytest.mark.parametrize(
    ("fault", "config", "operations", "rule"),
    [
        ("backup-overtakes-forward", Config(), ENDED, "backup-after-forward"),
        (
            "load-overtakes-forward",
            Config(device_pages=2),
            [Insert(B), WritingCheck(blocking=True), Evict(1), Insert(A), *ENDED, LoadBack(B)],
            "load-back-after-forward",
        ),
        (
            "forward-overtakes-load",
            Config(),
            [HostInsert(A), Arrive("q", AB), Prefill("q")],
            "forward-after-load-back",
        ),
        (
            "forward-overtakes-load",
            Config(window=1, swa_pages=4, swa_host_pages=4),
            [HostInsert(A), LoadBack(A), Insert(AB, reuse=True)],
            "forward-after-load-back",
        ),
        (
            "loads-survive-reset",
            Config(),
            [HostInsert(A), LoadBack(A), Reset(), Insert(B)],
            "after-reset",
        ),
        (
            "backups-survive-reset",
            Config(),
            [Insert(A), Reset(), HostInsert(B)],
            "after-reset",
        ),
    ],
)
def test_race_is_seen_before_any_copy_has_run(
    fault: str, config: Config, operations: list[Operation], rule: str
) -> None:
    history = History(config, (*operations, RunForward()))
    assert run_history(find("radix"), history) is None
    verdict = run_history(find(f"fault:{fault}"), history)
    assert verdict is not None
    assert verdict.breach.signature == f"RACE/{rule}"

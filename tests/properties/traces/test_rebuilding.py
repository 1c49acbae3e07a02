"""What a trace tells, as a history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Component, Config, EvictionPolicy
from radixproof.model.key import Key
from radixproof.properties.traces.rebuilding import Rebuilt, rebuild
from radixproof.properties.traces.trace_file import TraceError, lines

from .told import CONFIG, HEAD, LOST, call, key, write

A, AB, ABC = Key((1,)), Key((1, 2)), Key((1, 2, 3))


def told(folder: Path, *written: dict[str, Any], **config: Any) -> Rebuilt:
    head = {**HEAD, "config": {**CONFIG, **config}}
    return rebuild(lines(write(folder / "trace-000001.jsonl", *written, head=head)))


def operations(folder: Path, *written: dict[str, Any], **config: Any) -> list[Operation]:
    rebuilt = told(folder, *written, **config)
    assert not rebuilt.left_out
    return [*rebuilt.history.operations]


def test_calls_become_operations(tmp_path: Path) -> None:
    rebuilt = told(tmp_path, *LOST)
    assert rebuilt.history.operations == (
        Insert(AB),
        Lock("l1", AB),
        Unlock("l1"),
        RunCopies(1),
        WritingCheck(),
        Evict(2),
        Match(AB),
        LoadBack(AB),
    )
    assert rebuilt.said == (0, None, None, None, None, (2, 0, 0), 0, 2)
    assert rebuilt.history.config == Config(device_pages=8, host_pages=16)
    assert rebuilt.history.origin["system"] == "radix"
    assert rebuilt.calls == len(LOST) - 1
    assert not rebuilt.raised


def test_a_match_and_the_lock_of_what_it_found_are_one(tmp_path: Path) -> None:
    match = call("match", key=1, device=2, best=2, node=5, best_node=5)
    lock = call("lock", node=5, receipt="")
    rebuilt = told(tmp_path, key(1, 1, 2, 3), match, lock)
    assert rebuilt.history.operations == (Lock("l1", ABC),)
    assert rebuilt.said == (2,)
    with_more = operations(tmp_path, key(1, 1, 2, 3), match, call("evict", full=1), lock)
    assert with_more == [Match(ABC), Evict(1), Lock("l1", AB)], "what the node stands for"


def test_receipts_of_one_node_are_told_apart(tmp_path: Path) -> None:
    made = operations(
        tmp_path,
        key(1, 1, 2),
        call("insert", key=1, node=1),
        call("lock", node=1, receipt="7"),
        call("lock", node=1, receipt="8"),
        call("lock", node=1, receipt="7"),
        call("release_window", node=1, receipt="8"),
        call("unlock", node=1, receipt="8"),
        call("unlock", node=1, receipt="7"),
        call("unlock", node=1, receipt="7"),
    )
    assert made[4:] == [ReleaseWindow("l2"), Unlock("l2"), Unlock("l1"), Unlock("l3")]


def test_copies_run_when_their_end_was_noticed(tmp_path: Path) -> None:
    made = operations(
        tmp_path,
        call("writing_check", acknowledged=2),
        call("writing_check"),
        call("writing_check", blocking=True, acknowledged=1),
        call("loading_check", acknowledged=3),
    )
    assert made == [
        RunCopies(2), WritingCheck(), WritingCheck(), WritingCheck(blocking=True),
        RunCopies(3, load=True), LoadingCheck(),
    ]  # fmt: skip


def test_the_host_has_its_operations(tmp_path: Path) -> None:
    made = operations(
        tmp_path,
        key(1, 1, 2),
        call("match", key=1, best=2, node=0, best_node=4),
        call("lock_host", node=4, receipt="7"),
        call("unlock_host", node=4, receipt="7"),
        call("evict_host", tokens=3, component="swa", freed=3),
        call("load_back", node=4, quota=1),
        call("reset"),
    )
    assert made == [
        Match(AB), HostLock("h1", AB), Unlock("h1"), EvictHost(3, Component.SWA),
        LoadBack(AB, 1), Reset(),
    ]  # fmt: skip


def test_an_insert_keeps_what_it_was_given(tmp_path: Path) -> None:
    given = {"key": 1, "protected": 1, "evicted": 2, "state": True, "priority": 3, "reused": 1}
    (insert,) = operations(
        tmp_path, key(1, 1, 2), call("insert", **given), window=2, swa_pages=4, swa_host_pages=4
    )
    assert insert == Insert(AB, evicted=2, reuse=True, state=True, priority=3)
    (insert,) = operations(tmp_path, key(1, 1, 2), call("insert", **given))
    assert insert == Insert(AB, reuse=True, state=True, priority=3), "without SWA none is evicted"


def test_pages_that_are_the_same_are_the_same_tokens(tmp_path: Path) -> None:
    keys = [
        key(1, 10, 20),
        key(2, 30, of=1, shared=1),
        key(3, 10, namespace="n1"),
        key(4),
    ]
    matches = [call("match", key=number) for number in (1, 2, 3, 4)]
    assert operations(tmp_path, *keys, *matches, page_size=2) == [
        Match(Key((1, 1, 2, 2))), Match(Key((1, 1, 3, 3))), Match(Key((1, 1), "n1")),
        Match(Key(())),
    ]  # fmt: skip


def test_pairs_are_the_same_where_the_pages_are(tmp_path: Path) -> None:
    keys = (key(1, 10, 20), key(2, 10, 30), key(3, 40))
    matches = [call("match", key=number) for number in (1, 2, 3)]
    made = operations(tmp_path, *keys, *matches, page_size=2, bigram=True)
    pairs = [one.key.units(True) for one in made if isinstance(one, Match)]
    assert [len(some) for some in pairs] == [4, 4, 2]
    assert pairs[0][:2] == pairs[1][:2]
    assert pairs[0][2:] != pairs[1][2:]
    assert pairs[0][:2] != pairs[2][:2]


def test_what_cannot_be_rebuilt_is_counted_by_reason(tmp_path: Path) -> None:
    rebuilt = told(
        tmp_path,
        call("lock", node=7, receipt=""),
        call("load_back", node=7),
        call("lock_host", node=7, receipt=""),
        call("release_window", node=7, receipt=""),
        call("unlock", node=7, receipt=""),
        call("unlock", node=7, receipt=""),
        call("not_recorded", name="touch_prefix"),
        call("not_recorded", name="touch_prefix"),
    )
    assert rebuilt.history.operations == ()
    assert dict(rebuilt.left_out) == {
        "no match and no insert of the trace ended at its node": 1,
        "no match of the trace ended at its node": 2,
        "the lock that it gives back could not be rebuilt": 1,
        "the lock that it gives back is not in the trace": 1,
        "the lock of which it gives a part back is not in the trace": 1,
        "what touch_prefix does is not recorded": 2,
    }
    assert rebuilt.calls == 8


def test_locks_of_the_tiers_are_told_apart(tmp_path: Path) -> None:
    made = operations(
        tmp_path,
        *LOST[:2],
        call("match", key=1, device=2, best=2, node=1, best_node=1),
        call("lock_host", node=1, receipt=""),
        call("lock", node=1, receipt=""),
        call("unlock_host", node=1, receipt=""),
        call("unlock", node=1, receipt=""),
    )
    assert [one.receipt for one in made if isinstance(one, Unlock)] == ["h1", "l2"]


def test_a_node_is_locked_as_long_as_it_was_where_a_lock_of_it_is_not_rebuilt(
    tmp_path: Path,
) -> None:
    rebuilt = told(
        tmp_path,
        call("lock", node=1, receipt=""),
        *LOST[:3],
        call("unlock", node=1, receipt=""),
        call("evict", full=2),
        call("unlock", node=1, receipt=""),
    )
    made = [one.name for one in rebuilt.history.operations]
    assert made == ["insert", "lock", "evict", "unlock"]


def test_amounts_are_what_a_history_may_ask_for(tmp_path: Path) -> None:
    made = operations(
        tmp_path,
        *LOST[:2],
        call("match", key=1, device=0, best=2, node=0, best_node=1),
        call("evict", full=-1, swa=2**40),
        call("load_back", node=1, quota=2**40),
    )
    assert made[-2:] == [Evict(0, 2**31 - 1, 0), LoadBack(AB, 2**31 - 1)]


def test_the_call_that_raised_is_the_last_operation(tmp_path: Path) -> None:
    raised = {"raised": "KeyError", "where": "cache.py:7 find", "request": "r3"}
    rebuilt = told(tmp_path, key(1, 1, 2), call("insert", key=1, **raised))
    assert rebuilt.history.operations == (Insert(AB),)
    assert rebuilt.said == (None,)
    assert rebuilt.raised == "insert for r3 raised KeyError in cache.py:7 find"


def test_later_segments_say_their_keys_anew(tmp_path: Path) -> None:
    write(tmp_path / "trace-000001.jsonl", key(1, 10), call("match", key=1))
    write(tmp_path / "trace-000002.jsonl", key(1, 20), key(2, 10), call("match", key=2))
    assert rebuild(lines(tmp_path)).history.operations == (Match(A), Match(A))
    write(tmp_path / "trace-000003.jsonl", call("match", key=1))
    with pytest.raises(TraceError, match="call 3: there is no key 1 before it"):
        rebuild(lines(tmp_path))


def test_the_configuration_is_that_of_the_cache(tmp_path: Path) -> None:
    config = told(tmp_path, eviction_policy="slru", threshold=2, write_back=False).history.config
    assert config.eviction_policy is EvictionPolicy.SLRU
    assert config.threshold == 2
    for wrong in ({"device_pages": 0}, {"eviction_policy": "best"}):
        with pytest.raises(TraceError, match="the first line: no cache is configured so"):
            told(tmp_path, **wrong)


def test_an_empty_trace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trace-000001.jsonl").touch()
    with pytest.raises(TraceError, match="the trace is empty"):
        rebuild(lines(tmp_path))


def test_what_would_take_all_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TraceError, match=r"together have 2,000,000,032 slots"):
        told(tmp_path, page_size=2, device_pages=10**9)
    monkeypatch.setattr("radixproof.properties.traces.rebuilding.MOST_TOKENS_OF_A_TRACE", 8)
    told(tmp_path, key(1, 1, 2), key(2, 1), page_size=2)
    with pytest.raises(TraceError, match=r"more than 8 tokens.*name a single file"):
        told(tmp_path, key(1, 1, 2), key(2, 1, 2, 3), page_size=2)

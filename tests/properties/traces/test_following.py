"""A trace run with every check on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, Insert, Match
from radixproof.impl.registry import find
from radixproof.impl.system import Unavailable
from radixproof.properties.traces.following import Followed, follow
from radixproof.properties.traces.rebuilding import rebuild
from radixproof.properties.traces.trace_file import lines

from .told import LOST, call, key, write

RADIX = find("radix")
TALKATIVE, EARLY = "fault:backup-announced-early", "EVENT/stored-absent"
LATER = "EVENT/stored-missing"


def followed(folder: Path, system: str, *more: dict[str, object], known: str = "") -> Followed:
    trace = write(folder / "trace-000001.jsonl", *LOST, *more)
    return follow(find(system), rebuild(lines(trace)), known.__eq__)


def test_a_trace_of_a_sound_cache_is_clean(tmp_path: Path) -> None:
    went = followed(tmp_path, "radix")
    assert (went.found, went.known, went.begun_anew) == ({}, {}, {})
    assert went.steps == 8
    assert (went.compared, went.as_told, went.first_apart) == (4, 4, None)


def test_what_comes_out_otherwise_is_counted(tmp_path: Path) -> None:
    wrong = call("evict", full=1, freed=[7, 0, 0])
    went = followed(tmp_path, "radix", wrong)
    assert (went.compared, went.as_told, went.first_apart) == (5, 4, 9)


def test_what_is_skipped_is_counted_by_reason(tmp_path: Path) -> None:
    went = followed(tmp_path, "radix", key(9, *range(50, 70)), call("insert", key=9))
    assert dict(went.skipped) == {"the device pools have no room": 1}


def test_skipped_releases_are_counted_together(tmp_path: Path) -> None:
    locks = [call("lock", node=1, receipt=str(n)) for n in range(2)]
    releases = [call("unlock", node=1, receipt=str(n)) for n in range(2)]
    check = call("loading_check", acknowledged=1)
    fault = "fault:load-source-released-twice"
    went = followed(tmp_path, fault, *locks, check, *releases)
    assert dict(went.skipped) == {"there is no receipt of its name": 2}


def test_what_is_wrong_is_found_where_it_comes_up(tmp_path: Path) -> None:
    went = followed(tmp_path, TALKATIVE)
    assert [*went.found] == [EARLY, LATER]
    breach, number, since = went.found[EARLY]
    assert (breach.signature, number, since) == (EARLY, 1, 0)
    assert went.steps == 8, "the model can go on"


def test_what_is_known_is_passed_over(tmp_path: Path) -> None:
    went = followed(tmp_path, TALKATIVE, known=EARLY)
    assert [*went.found] == [LATER]
    assert [*went.known] == [EARLY]


def test_where_nothing_can_be_judged_any_more_it_goes_on_with_an_empty_cache(
    tmp_path: Path,
) -> None:
    check = call("loading_check", acknowledged=1)
    went = followed(tmp_path, "fault:load-source-released-twice", check, *LOST[1:], check)
    (signature,) = went.found
    assert signature.startswith("NOCRASH/")
    assert went.found[signature][1:] == (10, 0), "where it came up first"
    assert went.begun_anew == {signature: 2}
    assert went.steps == 20


def test_what_a_system_cannot_be_put_to_is_told(tmp_path: Path) -> None:
    trace = write(tmp_path / "trace.jsonl", *LOST, call("evict_host", tokens=1))
    rebuilt = rebuild(lines(trace))
    scope = replace(RADIX.scope, operations=(Insert, Match, Evict))
    went = follow(replace(RADIX, scope=scope), rebuilt, lambda _: False)
    assert went.declined == "operation 2 (lock): the system has no such operation"
    windows = replace(RADIX, scope=replace(RADIX.scope, hosted=False))
    with pytest.raises(
        Unavailable, match="cannot be built as the cache of this trace: a host tier"
    ):
        follow(windows, rebuilt, lambda _: False)
    assert not follow(RADIX, rebuilt, lambda _: False).declined

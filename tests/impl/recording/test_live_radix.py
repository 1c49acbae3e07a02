"""Our own cache, recorded: what the trace tells, rebuilt, comes out again."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from radixproof import record
from radixproof.impl.recording.tap import Tap
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.properties.drivers.soak import soak
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.run import Run
from radixproof.properties.traces.following import follow
from radixproof.properties.traces.rebuilding import Rebuilt, rebuild
from radixproof.properties.traces.trace_file import lines

RADIX = find("radix")


def recorded(ran: JudgedHistory, folder: Path) -> Rebuilt:
    """The trace of a history of one rank."""
    run = Run(RADIX, ran.history.config)
    tap = record(run.system.cache, folder)  # type: ignore[attr-defined]
    for operation in ran.history.operations:
        run.step(operation)
    tap.close()
    assert tap.ended == "it was closed"
    return rebuild(lines(folder))


@pytest.mark.torture(all=1_000, share=12)
def test_whatever_it_did_its_trace_is_clean(tmp_path: Path, cases: range) -> None:
    alone = (ran for ran in soak(RADIX, 11, lambda _: False) if ran.history.config.ranks == 1)
    compared = as_told = 0
    for case, ran in zip(cases, islice(alone, len(cases)), strict=True):
        rebuilt = recorded(ran, tmp_path / str(case))
        went = follow(RADIX, rebuilt, lambda _: False)
        assert went.found == {}, case
        assert not rebuilt.raised
        compared, as_told = compared + went.compared, as_told + went.as_told
    assert compared > 10 * len(cases)
    assert as_told > 0.8 * compared


def test_a_call_that_raises_is_told_and_still_raises(tmp_path: Path) -> None:
    cache = RADIX.build(Config()).cache  # type: ignore[attr-defined]
    tap: Tap = record(cache, tmp_path)
    with pytest.raises(ValueError, match="protected must be whole pages"):
        cache.insert([1, 2], [3, 4], protected=-1)
    tap.close()
    (file,) = tmp_path.glob("*/*.jsonl")
    last = json.loads(file.read_text().splitlines()[-1])
    assert (last["call"], last["raised"]) == ("insert", "ValueError")
    assert last["where"].startswith("cache.py:")


def test_a_call_that_cannot_be_described_is_made_all_the_same(tmp_path: Path) -> None:
    cache = RADIX.build(Config()).cache  # type: ignore[attr-defined]
    tap: Tap = record(cache, tmp_path)
    with pytest.raises(TypeError, match=r"match\(\) got an unexpected keyword argument"):
        cache.match(colour=1)
    assert not tap.ended
    with pytest.raises(TypeError):
        cache.match(5)
    assert tap.ended.startswith("TypeError: ")
    assert cache.match([1, 2]).device_node.end == 0
    tap.close()

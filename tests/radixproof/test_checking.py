"""Check, replay and shrink as functions, on a cache that is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

import radixproof
import toy_adapter
import toy_bugs
from radixproof import (
    CheckResult,
    Config,
    Evict,
    History,
    Insert,
    Key,
    Lock,
    Match,
    NothingFails,
    Unlock,
)

STUCK = History(
    Config(host_pages=0),
    (
        Insert(Key((1, 2))),
        Lock("r", Key((1, 2))),
        Insert(Key((1,))),
        Unlock("r"),
        Evict(2),
        Evict(1),
    ),
)
"""After it the lower half of a split has been unlocked twice, as it were."""


@pytest.fixture(scope="module")
def broken() -> CheckResult:
    return radixproof.check(toy_bugs.split, steps=2_500)


def test_a_cache_of_ones_own_is_clean_and_everything_was_tried() -> None:
    result = radixproof.check(toy_adapter.target, steps=2_500)
    assert (result.findings, result.report()) == ((), "")
    assert result.steps >= 2_500
    assert result.histories > 20
    assert result.reached
    assert not result.unreached
    assert result.enough
    assert "FULL: the events replay to what is resident" in result.unjudged


def test_a_bug_is_found_with_its_report(broken: CheckResult) -> None:
    assert broken.findings
    for finding in broken.findings:
        assert f"{finding.signature} in split" in broken.report()
        assert radixproof.replay(toy_bugs.split, finding.history) is not None
        assert radixproof.replay(toy_adapter.target, finding.history) is None


def test_the_same_seed_finds_the_same(broken: CheckResult) -> None:
    again = radixproof.check(toy_bugs.split, steps=2_500)
    assert [one.history for one in again.findings] == [one.history for one in broken.findings]
    other = radixproof.check(toy_bugs.split, steps=2_500, seed=2)
    assert [one.original for one in other.findings] != [one.original for one in broken.findings]


def test_what_is_known_is_passed_over(broken: CheckResult) -> None:
    known = [finding.signature for finding in broken.findings]
    again = radixproof.check(toy_bugs.split, steps=500, known=known)
    assert not {one.signature for one in again.findings} & set(known)
    verdict = radixproof.replay(toy_bugs.split, STUCK)
    assert verdict is not None
    assert (
        radixproof.replay(toy_bugs.split, STUCK, known=[verdict.breach.signature, "x"]) != verdict
    )


def test_what_is_stored_is_replayed_first_and_progress_is_told() -> None:
    steps: list[int] = []
    result = radixproof.check(toy_bugs.split, steps=0, stored=[STUCK], on_progress=steps.append)
    assert result.findings[0].driver == "corpus"
    assert steps == sorted(steps)
    assert steps[-1] == result.steps


def test_one_text_is_no_list_of_what_is_known() -> None:
    text = "LOCK/swa-too-few"
    for ask in (
        lambda: radixproof.check(toy_bugs.split, known=text),
        lambda: radixproof.replay(toy_bugs.split, STUCK, known=text),
        lambda: radixproof.state_machine(toy_bugs.split, known=text),
    ):
        with pytest.raises(TypeError, match=r"is one text: give a list of signatures"):
            ask()


def test_known_findings_of_a_file_are_those_about_the_target(
    broken: CheckResult, tmp_path: Path
) -> None:
    signatures = [finding.signature for finding in broken.findings]
    file = tmp_path / "known.toml"
    for system in ("split", "toy"):
        file.write_text(
            "".join(
                f'[[finding]]\nsignature = "{one}"\nreason = "x"\nsystems = ["{system}"]\n'
                for one in signatures
            )
        )
        known = radixproof.load_known(file)
        again = radixproof.check(toy_bugs.split, steps=2_500, known=known)
        found = {one.signature for one in again.findings}
        assert found.isdisjoint(signatures) == (system == "split")
        assert bool(again.passed_over) == (system == "split")


def test_time_may_end_it() -> None:
    result = radixproof.check(toy_adapter.target, profile="nightly", seconds=0.1)
    assert result.steps < 100_000
    assert not result.enough


def test_a_search_that_reached_too_little_is_not_enough() -> None:
    result = radixproof.check(toy_adapter.target, profile="ci", steps=1)
    assert result.unreached
    assert not result.enough


def test_a_history_is_shrunk_on_a_cache_without_a_host_tier() -> None:
    longer = History(STUCK.config, (Match(Key((7, 8))), *STUCK.operations))
    smallest = radixproof.shrink(toy_bugs.split, longer)
    assert len(smallest.operations) <= len(STUCK.operations)
    assert smallest.config.host_pages == 0
    assert smallest.origin["system"] == "split"
    verdict = radixproof.replay(toy_bugs.split, smallest)
    assert verdict is not None
    assert smallest.origin["signature"] == verdict.breach.signature


def test_mistakes_are_told() -> None:
    with pytest.raises(NothingFails, match="nothing is wrong with this history on toy"):
        radixproof.shrink(toy_adapter.target, STUCK)
    with pytest.raises(ValueError, match=r"no profile is called 'weekly' \(known: dev, ci"):
        radixproof.check(toy_adapter.target, profile="weekly")
    with pytest.raises(radixproof.Unavailable, match="toy cannot be built with a host tier"):
        radixproof.replay(toy_adapter.target, History(Config(), ()))

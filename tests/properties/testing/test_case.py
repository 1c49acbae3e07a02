"""The state machine as a test case: what a failure shows, and what of Hypothesis still works."""

from __future__ import annotations

import re
import unittest
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, Verbosity, reproduce_failure, seed, settings
from hypothesis.database import InMemoryExampleDatabase

from radixproof.impl.registry import find
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import Broken, search
from radixproof.properties.histories.file_names import slug
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.search.finding import settle
from radixproof.properties.testing.asked import Asked, CommandLine
from radixproof.properties.testing.case import ReportingMachine, state_machine
from radixproof.properties.testing.found import Found

FAULT = "fault:split-parent-not-backed-up"
SEED = 2


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is not written beside the sources."""
    monkeypatch.chdir(tmp_path_factory.mktemp("run"))


def failing(machine: type[ReportingMachine], **changes: Any) -> Found:
    """How the test case of a machine fails."""
    machine.TestCase.settings = settings(machine.TestCase.settings, **changes)
    with pytest.raises(Found) as failed:
        machine.TestCase("runTest").runTest()
    return failed.value


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    with chdir(tmp_path_factory.mktemp("run")):
        return failing(seed(SEED)(state_machine(find(FAULT))), print_blob=True)


def test_a_failure_is_what_a_check_with_the_same_seed_finds(found: Found) -> None:
    target = find(FAULT)
    broken = next(ran for ran in search(target, SEED, 100, 50, frozenset) if type(ran) is Broken)
    finding = settle(target, broken.history, broken.breach, (), lambda *_: None)
    assert finding is not None
    assert found.finding.history == finding.history
    assert found.finding.verdict == finding.verdict


def test_a_failure_is_a_report(found: Found) -> None:
    text, finding = str(found), found.finding
    assert text.startswith(f"{finding.signature} in {FAULT}\n")
    assert finding.verdict.breach.violates.sentence.split()[0] in text
    assert text.count(" -> ") >= 1
    assert "Tree before step" in text


def test_of_the_unshrunk_example_only_the_way_back_is_shown(found: Found) -> None:
    (note,) = found.__notes__
    assert "@reproduce_failure(" in note


def test_a_failure_can_be_reproduced_by_what_is_printed(found: Found) -> None:
    (version, blob), *_ = re.findall(r"'([\d.]+)', b'([^']+)'", found.__notes__[0])
    again = failing(reproduce_failure(version, blob.encode())(state_machine(find(FAULT))))
    assert again.finding.history == found.finding.history


def test_no_frame_is_left_in_the_traceback_of_unittest() -> None:
    case = seed(SEED)(state_machine(find(FAULT))).TestCase
    result = unittest.TestResult()
    case("runTest").run(result)
    ((_, shown),) = result.failures
    assert "File " not in shown
    assert "Tree before step" in shown


def test_the_listing_is_shown_where_more_is_asked_for() -> None:
    found = failing(seed(SEED)(state_machine(find(FAULT))), verbosity=Verbosity.verbose)
    assert any("state.teardown()" in note for note in found.__notes__)


def test_the_second_run_begins_with_what_failed_in_the_first() -> None:
    database, examples = InMemoryExampleDatabase(), 0
    machine = state_machine(find(FAULT))

    class Counted(machine):  # type: ignore[valid-type, misc]
        def teardown(self) -> None:
            nonlocal examples
            examples += 1
            super().teardown()

    first = failing(seed(SEED)(Counted), database=database)
    before, examples = examples, 0
    assert failing(Counted, database=database).finding == first.finding
    assert examples <= 3 < before


def test_a_clean_system_passes() -> None:
    machine = seed(SEED)(state_machine(find("radix")))
    machine.TestCase.settings = settings(
        machine.TestCase.settings, max_examples=10, stateful_step_count=10
    )
    result = unittest.TestResult()
    machine.TestCase("runTest").run(result)
    assert result.wasSuccessful()


def test_what_is_known_is_passed_over(found: Found) -> None:
    machine = seed(SEED)(state_machine(find(FAULT), known=[found.finding.signature]))
    assert machine.known == {found.finding.signature}
    assert failing(machine).finding.signature != found.finding.signature


def test_machines_of_two_systems_have_names_and_settings_of_their_own() -> None:
    one, other = state_machine(find("radix")), state_machine(find("fault:ack-keeps-lock"))
    assert [one.__name__, other.__name__] == ["RadixMachine", "FaultAckKeepsLockMachine"]
    assert one.TestCase is not other.TestCase
    assert (one.target.name, other.target.name) == ("radix", "fault:ack-keeps-lock")
    assert not hasattr(ReportingMachine, "target")


@pytest.mark.parametrize("shrinks", [False, True])
def test_hypothesis_shrinks_only_if_it_is_asked_to(
    shrinks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[settings] = []
    monkeypatch.setattr(
        "radixproof.properties.testing.case.run_state_machine_as_test",
        lambda machine, settings: used.append(settings),
    )
    machine = state_machine(find("radix"), shrinks=shrinks)
    machine.TestCase.settings = settings(max_examples=7)
    machine.TestCase("runTest").runTest()
    (one,) = used
    assert (one.max_examples, one.backend) == (7, BACKEND)
    assert (Phase.shrink in one.phases) == (Phase.explain in one.phases) == shrinks
    assert Phase.reuse in one.phases


def test_hypothesis_and_pytest_know_it_as_a_test_of_theirs() -> None:
    case = state_machine(find("radix")).TestCase
    assert case.runTest.is_hypothesis_test  # type: ignore[attr-defined]


def test_a_failure_is_on_the_disk_before_it_is_told(
    found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CommandLine, "asked", Asked(out=tmp_path))
    machine = seed(SEED)(state_machine(find(FAULT)))
    first, again = failing(machine), failing(machine)
    assert str(first) == str(again)
    (folder,) = (tmp_path / slug(FAULT)).iterdir()
    history = from_json((folder / "history.json").read_text())
    assert history.operations == first.finding.history.operations
    assert history.origin["seed"] == str(SEED)
    assert f"Written to {folder}: history.json, " in str(first)


def test_what_cannot_be_written_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(CommandLine, "asked", Asked(out=tmp_path / "file"))
    found = failing(seed(SEED)(state_machine(find(FAULT))))
    assert "This finding could not be written to" in str(found)
    assert "Tree before step" in str(found)

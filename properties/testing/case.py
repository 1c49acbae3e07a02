"""The state machine as a test case, which fails with a report instead of Hypothesis's listing.

    TestMyCache = state_machine(target).TestCase

The first example that breaks something goes to the minimiser of the search, which takes a second
where Hypothesis's own shrinking takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any, ClassVar

from hypothesis import Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from radixproof.impl.system import Target
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import Broken, CacheMachine
from radixproof.properties.histories.file_names import slug
from radixproof.properties.known.files import Known, passed_over
from radixproof.properties.reporting.finding_folder import folder_of, keep
from radixproof.properties.search.finding import Finding, settle
from radixproof.properties.search.trial import try_out
from radixproof.properties.testing.asked import CommandLine
from radixproof.properties.testing.found import Found

__unittest = True
"""Unittest, and pytest with it, leave frames of such modules out of tracebacks."""

OURS = frozenset({Phase.shrink, Phase.explain})
"""Phases of Hypothesis that the minimiser makes superfluous."""


class ReportingMachine(CacheMachine):
    """A state machine whose ``TestCase`` reports a shortest history."""

    shrinks: ClassVar[bool] = False
    """Whether Hypothesis itself shrinks and explains first, as it does for other tests."""

    def __init_subclass__(cls) -> None:
        cls.TestCase.runTest = _run(cls)  # type: ignore[method-assign]


def _run(machine: type[ReportingMachine]) -> Any:
    def runTest(case: Any) -> None:
        try_out(machine.target)
        try:
            run_state_machine_as_test(machine, settings=_drawing(case.settings, machine.shrinks))
        except Broken as broken:
            raise _found(machine, broken, case.settings) from None

    runTest.is_hypothesis_test = True  # type: ignore[attr-defined]
    return runTest


def _drawing(asked: settings, shrinks: bool) -> settings:
    """Settings of the user, with the backend and the phases that suit the machine."""
    phases = [phase for phase in asked.phases if shrinks or phase not in OURS]
    backend = BACKEND if asked.backend == "hypothesis" else asked.backend
    return settings(asked, phases=phases, backend=backend)


def _found(machine: type[ReportingMachine], broken: Broken, asked: settings) -> Found:
    """The finding in a broken example, on the disk before it is told."""
    target = machine.target
    finding = settle(target, broken.history, broken.breach, machine.known, lambda *_: None)
    if finding is None:  # an example ends where something follows from what is known
        raise AssertionError(f"{broken.breach.signature} comes of something that is known")
    given = getattr(machine, "_hypothesis_internal_use_seed", None)
    finding = replace(finding, seed=given, driver="state machine of a test")
    folder = folder_of(target, finding, CommandLine.asked.out, mark=_mark(finding))
    found = Found(target.name, finding, folder.report + keep(folder), folder.replay)
    for note in getattr(broken, "__notes__", []):
        if "reproduce_failure" in note or asked.verbosity >= Verbosity.verbose:
            found.add_note(note)
    return found


def _mark(finding: Finding) -> str:
    """What tells findings of tests apart, which have no seed to go by: their histories."""
    return sha256(repr(finding.history).encode()).hexdigest()[:8]


def state_machine(
    target: Target, known: Iterable[str] | Known = (), shrinks: bool = False
) -> type[ReportingMachine]:
    """A state machine for one system, which passes over the signatures that are ``known``,
    or the known findings of a file. Raises TypeError where ``known`` is one text.

    It is a class of Hypothesis like any other: its ``TestCase`` is a test, with ``settings`` to be
    set, and it can be subclassed. With ``shrinks``, Hypothesis shrinks and explains by itself
    before the minimiser does.

    A system that hangs, or ends the process, does so in the test: ``radixproof check`` searches
    such a system in processes of its own, and reports it.
    """
    name = "".join(part.capitalize() for part in slug(target.name).split("-")) + "Machine"
    members = {
        "target": target,
        "known": passed_over(known, target.name),
        "shrinks": shrinks,
        "__module__": __name__,
    }
    machine: type[ReportingMachine] = type(name, (ReportingMachine,), members)
    return machine

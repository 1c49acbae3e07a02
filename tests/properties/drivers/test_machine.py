"""The state machine: it takes any system, says what it broke, and also serves the search."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from radixproof.impl.operations import Arrive, Decode, Evict, EvictHost, History, Prefill
from radixproof.impl.radix.node import Node
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import CHUNK, Broken, CacheMachine, search, state_machine
from radixproof.properties.running.run import run_history

SIGNATURE = "PROGRESS/never-backed-up"
QUICK = settings(
    max_examples=60,
    stateful_step_count=30,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def nothing() -> frozenset[str]:
    return frozenset()


@pytest.fixture
def careless(tampered: Callable[..., Target]) -> Target:
    """A system that never backs anything up, so that what is evicted is lost."""

    def deed(system: RadixSystem) -> None:
        def hit(node: Node) -> None:
            node.hits += 1

        system.cache.backups.hit = hit  # type: ignore[method-assign]

    return tampered(deed, 0, range(9))


def test_the_system_is_an_argument(careless: Target) -> None:
    with pytest.raises(Broken) as failed:
        run_state_machine_as_test(state_machine(careless), settings=QUICK)
    assert failed.value.breach.signature == SIGNATURE
    machine = state_machine(careless, known=[SIGNATURE])
    assert machine.known == {SIGNATURE}
    run_state_machine_as_test(machine, settings=QUICK)


def test_machines_of_two_systems_have_names_and_settings_of_their_own() -> None:
    one, other = state_machine(find("radix")), state_machine(find("fault:ack-keeps-lock"))
    assert [one.__name__, other.__name__] == ["RadixMachine", "FaultAckKeepsLockMachine"]
    assert one.TestCase is not other.TestCase
    assert one.TestCase.settings.backend == other.TestCase.settings.backend == BACKEND
    assert (one.target.name, other.target.name) == ("radix", "fault:ack-keeps-lock")
    assert not hasattr(CacheMachine, "target")


def test_a_subclass_names_the_system_and_a_broken_one_fails_with_its_history(
    careless: Target,
) -> None:
    class Machine(CacheMachine):
        target = careless

    with pytest.raises(Broken) as failed:
        run_state_machine_as_test(Machine, settings=QUICK)
    broken = failed.value
    assert broken.breach.signature == SIGNATURE
    verdict = run_history(careless, broken.history)
    assert verdict is not None
    assert verdict.breach.signature == SIGNATURE
    for said in (
        SIGNATURE,
        broken.breach.violates.sentence,
        str(broken.history),
        str(broken.history.config),
    ):
        assert said in str(broken)


def test_what_is_known_is_passed_over(careless: Target) -> None:
    class Machine(CacheMachine):
        target = careless
        known = frozenset({SIGNATURE})

    run_state_machine_as_test(Machine, settings=QUICK)


def test_every_example_ends_with_everything_released_and_emptied() -> None:
    for ran in search(find("radix"), 1, 10, 20, nothing):
        assert isinstance(ran, History)
        last = ran.operations[-2:] if ran.config.hosted else (*ran.operations[-1:], EvictHost())
        assert [type(operation) for operation in last] == [Evict, EvictHost]


@pytest.mark.parametrize("examples", [1, CHUNK, CHUNK + 3])
def test_a_clean_search_makes_all_its_examples(examples: int) -> None:
    """Hypothesis counts only the valid ones of them, so there may be more."""
    found = list(search(find("radix"), 2, examples, 10, nothing))
    assert len(found) >= examples
    assert not any(isinstance(ran, Broken) for ran in found)


def test_a_search_is_the_same_for_the_same_number(careless: Target) -> None:
    def ran(number: int) -> list[object]:
        return [
            one if isinstance(one, History) else (one.history, one.breach)
            for one in search(careless, number, 20, 20, nothing)
        ]

    assert ran(3) == ran(3)
    assert ran(3) != ran(4)


def test_a_search_does_not_depend_on_the_settings_of_whoever_calls_it() -> None:
    def ran() -> list[object]:
        return list(search(find("radix"), 3, 8, 20, nothing))

    expected = ran()
    before = settings.get_current_profile_name()
    settings.register_profile(
        "somebody's", max_examples=2, stateful_step_count=3, derandomize=False, database=None
    )
    settings.load_profile("somebody's")
    try:
        assert ran() == expected
    finally:
        settings.load_profile(before)


def test_a_search_goes_on_after_a_finding_that_is_known_by_then(careless: Target) -> None:
    known: set[str] = set()
    broken = 0
    for ran in search(careless, 1, 60, 30, lambda: frozenset(known)):
        if isinstance(ran, Broken):
            known.add(ran.breach.signature)
            broken += 1
    assert known == {SIGNATURE}
    assert broken == 1


def test_a_history_that_broke_something_is_not_counted_among_the_others(careless: Target) -> None:
    """It is told once, as broken, although Hypothesis runs it again before it reports it."""
    for chunk in chunks(search(careless, 1, 30, 30, nothing)):
        *others, last = chunk
        assert isinstance(last, Broken)
        assert last.history.operations not in [one.operations for one in others]


def chunks(found: Iterator[History | Broken]) -> Iterator[list[Any]]:
    """What was told up to and with each `Broken`; what comes after the last one is left out."""
    told: list[Any] = []
    for one in found:
        told.append(one)
        if isinstance(one, Broken):
            yield told
            told = []


def crashing(tampered: Callable[..., Target]) -> Target:
    """A system whose every eviction raises."""

    def deed(system: Any) -> None:
        def evict(full: int, swa: int, mamba: int) -> tuple[int, int, int]:
            raise RuntimeError("no such leaf")

        system.evict = evict

    return tampered(deed, 0, range(9))


def test_a_crash_ends_an_example_and_is_its_finding(tampered: Callable[..., Target]) -> None:
    broken = next(
        ran for ran in search(crashing(tampered), 1, 20, 20, nothing) if isinstance(ran, Broken)
    )
    assert broken.breach.signature == "NOCRASH/RuntimeError@crashing.<locals>.deed.<locals>.evict"
    assert isinstance(broken.history.operations[-1], Evict | Arrive | Prefill | Decode)


def test_after_a_known_crash_an_example_is_over(tampered: Callable[..., Target]) -> None:
    """Nothing can be said of a system that has crashed.

    So a known crash ends the example, without a finding, without more steps.
    """
    target = crashing(tampered)
    (broken,) = [ran for ran in search(target, 1, 1, 20, nothing) if isinstance(ran, Broken)]
    for ran in search(target, 1, 5, 20, lambda: frozenset({broken.breach.signature})):
        assert isinstance(ran, History)
        assert sum(isinstance(operation, Evict) for operation in ran.operations) <= 1


def test_examples_do_not_depend_on_what_is_imported(tmp_path: Path) -> None:
    """None of what is drawn may come from the constants of the modules imported so far.

    Hypothesis takes them from each module that has at most 1,024.
    """
    before = list(search(find("radix"), 3, 30, 20, nothing))
    source = tmp_path / "constants.py"
    literals = [
        *range(101, 255),
        *range(1_000, 2**24, 80_021),
        *(bytes([at] * 7) for at in range(200)),
    ]
    source.write_text(f"LITERALS = {literals}")
    spec = spec_from_file_location("constants", source)
    assert spec is not None
    sys.modules["constants"] = module_from_spec(spec)
    try:
        assert list(search(find("radix"), 3, 30, 20, nothing)) == before
    finally:
        del sys.modules["constants"]


def test_a_test_of_a_subclass_draws_in_that_way_too() -> None:
    class Machine(CacheMachine):
        target = find("radix")

    assert Machine.TestCase.settings.backend == BACKEND
    assert Machine.TestCase.settings.deadline is None


def test_what_has_no_bounds_is_drawn_as_ever() -> None:
    @seed(1)
    @settings(backend=BACKEND, max_examples=20, database=None)
    @given(
        st.integers(),
        st.integers(min_value=3),
        st.binary(max_size=9),
        st.binary(min_size=7, max_size=7),
        st.integers(-4, 4),
    )
    def drawn(anything: int, above: int, few: bytes, seven: bytes, bounded: int) -> None:
        assert above >= 3
        assert len(few) <= 9
        assert len(seven) == 7
        assert -4 <= bounded <= 4
        seen.add(anything)

    seen: set[int] = set()
    drawn()
    assert len(seen) > 10

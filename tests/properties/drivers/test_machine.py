"""The state machine: it takes any system, says what it broke, and also serves the search."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

import radixproof.impl.operations
from radixproof.impl.operations import (
    OPERATIONS,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    History,
    Insert,
    Match,
    Operation,
    Prefill,
    Reset,
)
from radixproof.impl.radix.node import Node
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model import config
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.drivers.hypothesis_backend import BACKEND
from radixproof.properties.drivers.machine import CHUNK, Broken, CacheMachine, chunk, search
from radixproof.properties.generating.endings import Drain
from radixproof.properties.generating.keys import digits
from radixproof.properties.generating.operations import RULES
from radixproof.properties.running.run import run_history

SIGNATURE = "PROGRESS/never-backed-up"
OF_WHAT_CAME_LATE = {f"PROGRESS/late-{component}-not-backed-up" for component in ("swa", "mamba")}
"""The same for what came after a first backup, which there is none of here but by write_back."""
NAMES = {**vars(config), "Key": Key, "Drain": Drain}
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


def test_what_breaks_once_and_not_again_is_told(tampered: Callable[..., Target]) -> None:
    """Whoever is told runs it himself, and sees that it does not come again."""
    spoilt = False

    def deed(system: RadixSystem) -> None:
        nonlocal spoilt

        def hit(node: Node) -> None:
            node.hits += 1

        if not spoilt:
            spoilt = True
            system.cache.backups.hit = hit  # type: ignore[method-assign]

    target = tampered(deed, 0, range(9))
    *_, broken = chunk(target, 1, 0, 1, 50, nothing())
    assert isinstance(broken, Broken)
    assert run_history(target, broken.history) is None


def test_what_is_known_is_passed_over(careless: Target) -> None:
    class Machine(CacheMachine):
        target = careless
        known = frozenset({SIGNATURE, *OF_WHAT_CAME_LATE})

    run_state_machine_as_test(Machine, settings=QUICK)


def test_every_example_ends_with_everything_released_and_emptied() -> None:
    for ran in search(find("radix"), 1, 10, 20, nothing):
        assert isinstance(ran, History)
        last = ran.operations[-2:] if ran.config.hosted else (*ran.operations[-1:], EvictHost())
        assert [type(operation) for operation in last] == [Evict, EvictHost]


@pytest.mark.parametrize("examples", [1, CHUNK + 3])
def test_a_clean_search_makes_all_its_examples(examples: int) -> None:
    """Hypothesis counts only the valid ones of them, so there may be more."""
    found = list(search(find("radix"), 2, examples, 10, nothing))
    assert len(found) >= examples
    assert not any(isinstance(ran, Broken) for ran in found)


def test_a_search_is_the_same_for_the_same_number(careless: Target) -> None:
    def ran(target: Target, number: int) -> list[object]:
        return [
            one if isinstance(one, History) else (one.history, one.breach)
            for one in search(target, number, 10, 20, nothing)
        ]

    assert ran(careless, 3) == ran(careless, 3)
    assert ran(find("radix"), 3) == ran(find("radix"), 3) != ran(find("radix"), 4)


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


def test_nothing_is_kept_of_what_a_search_has_done() -> None:
    """Long campaigns are many searches of one process."""

    def kept() -> int:
        gc.collect()
        return sum(type(one) is History for one in gc.get_objects())

    def searched() -> int:
        return sum(1 for _ in search(find("radix"), 3, 10, 10, nothing))

    assert searched() == 10
    before = kept()
    assert searched() == 10
    assert kept() == before


def test_a_search_goes_on_after_a_finding_that_is_known_by_then(careless: Target) -> None:
    known: set[str] = set()
    broken = 0
    for ran in search(careless, 1, 30, 30, lambda: frozenset(known)):
        if isinstance(ran, Broken):
            known.add(ran.breach.signature)
            broken += 1
    assert SIGNATURE in known
    assert broken == len(known)


def test_a_history_that_broke_something_is_not_counted_among_the_others(careless: Target) -> None:
    """It is told once, as broken, although Hypothesis runs it again before it reports it."""
    for part in chunks(search(careless, 1, 12, 30, nothing)):
        *others, last = part
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
    before = list(search(find("radix"), 3, 12, 20, nothing))
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
        assert list(search(find("radix"), 3, 12, 20, nothing)) == before
    finally:
        del sys.modules["constants"]


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


class Recorded(CacheMachine):
    """A machine that keeps what it has done, example by example."""

    target = find("radix")
    examples: ClassVar[list[tuple[Config, tuple[Operation, ...]]]] = []

    def teardown(self) -> None:
        super().teardown()
        self.examples.append((self.config, tuple(self.done)))


def test_there_is_a_rule_for_every_operation_and_one_for_splits() -> None:
    """Prefetches are one with host inserts, and forward passes run with copies."""
    rules = {one.function.__name__ for one in CacheMachine.setup_state().rules}
    assert rules == set(RULES)
    assert {kind for kinds in RULES.values() for kind in kinds} == set(OPERATIONS)
    others = {"prefetch", "end_prefetch", "run_forward"}
    assert {kind.name for kind in OPERATIONS} - set(RULES) == others
    assert set(RULES) - {kind.name for kind in OPERATIONS} == {"split"}


def test_what_is_printed_runs_when_it_is_pasted(
    careless: Target,
) -> None:
    class Machine(CacheMachine):
        target = careless

    with pytest.raises(Broken) as failed:
        run_state_machine_as_test(Machine, settings=QUICK)
    listing = [
        line
        for note in failed.value.__notes__
        for line in note.splitlines()
        if line.startswith("state")
    ]
    assert listing[0] == "state = Machine()"
    assert listing[1].startswith("state.build(config=Config(")
    assert listing[-1] == "state.teardown()"
    assert not any("b'" in line or 'b"' in line for line in listing)
    with pytest.raises(Broken) as again:
        exec("\n".join(listing), {**vars(radixproof.impl.operations), **NAMES, "Machine": Machine})
    assert again.value.history == failed.value.history


def test_each_line_performs_what_its_name_says() -> None:
    """So that what is prepared for an operation has lines of its own."""
    performed: list[str] = []

    class Machine(CacheMachine):
        target = find("radix")

        def perform(self, operation: Operation) -> None:
            performed.append(operation.name)
            super().perform(operation)

    machine = Machine()
    machine.build(Config(), Drain.AT_A_STROKE)
    for name in ("insert", "split", "evict", "load_back"):
        kinds = [kind.name for kind in RULES[name]]
        performed.clear()
        operation = (
            machine.choose(name, digits(2**55 + 12345))
            if machine.shaper.suits(name, machine.run.judge.model)
            else None
        )
        before = list(performed)
        assert not set(before) & set(kinds)
        if operation is not None:
            assert operation.name in kinds
            getattr(machine, name)(operation)
            assert performed == [*before, operation.name]
    machine.teardown()


def test_a_split_ends_inside_a_node() -> None:
    """What it names are whole pages of a node, and at least one is left behind them."""
    seen = 0
    for ran in search(find("radix"), 5, 10, 30, nothing):
        assert isinstance(ran, History)
    machine = state_of(Insert(Key((1, 2, 1, 2))))
    model = machine.run.judge.model
    for number in range(40):
        *_, operation = machine.shaper.by_rule("split", model, digits(number * 7919 + 3))
        assert isinstance(operation, Match | Insert)
        assert operation.key.tokens[:1] == (1,)
        walked = model.trie.walk(operation.key)
        seen += 0 < len(walked) < 4 and not walked[-1].cut
    assert seen > 10


def state_of(*operations: Operation) -> CacheMachine:
    class Machine(CacheMachine):
        target = find("radix")

    machine = Machine()
    machine.build(Config(), Drain.AT_A_STROKE)
    for operation in operations:
        machine.perform(operation)
    return machine


def test_rules_have_their_turns_as_often_as_they_have_lots() -> None:
    """Not equally often, as Hypothesis chooses by itself: resets would end most of what grows."""
    kinds = Counter(
        type(operation)
        for ran in search(find("radix"), 1, 40, 50, nothing)
        for operation in cast(History, ran).operations
    )
    assert kinds[Insert] > 30 * kinds[Reset] > 0


def test_a_rule_of_a_subclass_has_its_turns_too() -> None:
    class Machine(CacheMachine):
        target = find("radix")
        looks = 0

        @rule()
        def look(self) -> None:
            type(self).looks += 1

    run_state_machine_as_test(Machine, settings=QUICK)
    assert Machine.looks > 10


def test_the_first_examples_are_those_of_a_test_with_the_same_seed() -> None:
    Recorded.examples.clear()
    quick = settings(QUICK, max_examples=20, stateful_step_count=20, backend=BACKEND)
    run_state_machine_as_test(seed(4)(Recorded), settings=quick)
    found = [cast(History, ran) for ran in search(find("radix"), 4, 20, 20, nothing)]
    assert [(ran.config, ran.operations) for ran in found] == Recorded.examples

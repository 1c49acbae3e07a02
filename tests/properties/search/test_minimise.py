"""The minimiser: shortest histories, plain ones, always the same, and always in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field, fields, replace
from itertools import combinations, cycle, islice, pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixproof.impl.operations import (
    OPERATIONS,
    Abort,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefill,
    Refuse,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.drivers.soak import one
from radixproof.properties.histories.history_json import from_json, to_json
from radixproof.properties.running.run import run_history
from radixproof.properties.search.minimise import minimise

Fails = Callable[[History], bool]

FAULT = "fault:split-parent-not-backed-up"
SIGNATURE = "PROGRESS/never-backed-up"


# -- nothing can be left out ---------------------------------------------------------------------


def keyless(operation: Any, start: int, config: Config) -> Any:
    """The operation without the page of its prompt that begins at ``start``."""
    if not hasattr(operation, "key"):
        return operation
    tokens = operation.key.tokens[:start] + operation.key.tokens[start + config.page_size :]
    changed = replace(operation, key=replace(operation.key, tokens=tokens))
    return (
        replace(changed, evicted=min(changed.evicted, config.floor(len(tokens))))
        if hasattr(changed, "evicted")
        else changed
    )


def with_one_thing_less(history: History) -> Iterator[History]:
    """Without an operation, without a page of one prompt, without a page of all prompts."""
    config, operations = history.config, history.operations
    for at in range(len(operations)):
        yield replace(history, operations=operations[:at] + operations[at + 1 :])
    longest = max(
        (len(operation.key.tokens) for operation in operations if hasattr(operation, "key")),
        default=0,
    )
    for start in range(0, longest, config.page_size):
        shorter = [keyless(operation, start, config) for operation in operations]
        yield replace(history, operations=tuple(shorter))
        for at, operation in enumerate(shorter):
            yield replace(history, operations=(*operations[:at], operation, *operations[at + 1 :]))


def assert_minimal(smallest: History, fails: Fails) -> None:
    assert fails(smallest)
    for less in with_one_thing_less(smallest):
        assert less == smallest or not fails(less), (
            f"this would do:\n{less}\ninstead of:\n{smallest}"
        )


CONFIGS = (
    Config(),
    Config(
        page_size=2,
        window=5,
        device_pages=3,
        swa_pages=3,
        host_pages=20,
        swa_host_pages=2,
        threshold=2,
        bigram=True,
    ),
    Config(
        page_size=3,
        mamba_states=4,
        mamba_host_states=9,
        write_back=True,
        eviction_policy=EvictionPolicy.SLRU,
        load_threshold=7,
    ),
    Config(
        window=3,
        swa_pages=9,
        mamba_states=2,
        host_pages=0,
        ranks=3,
        eviction_policy=EvictionPolicy.FIFO,
    ),
)
TOKENS = st.lists(st.integers(1, 2), max_size=8).map(tuple)


def field_values(name: str, kind: str, config: Config) -> st.SearchStrategy[Any]:
    if name == "rank":
        return st.integers(0, config.ranks - 1)
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "Key": st.builds(Key, TOKENS, st.sampled_from(["", "a"])),
        "str": st.sampled_from(["r1", "r2", "r3"]),
        "int": st.integers(0, 9),
        "int | None": st.none() | st.integers(0, 9),
        "bool": st.booleans(),
        "tuple[int, ...]": TOKENS,
        "Component": st.sampled_from(config.components),
        "Pool": st.sampled_from(config.pools),
    }
    return by_type[kind]


def in_whole_pages(operation: Any, config: Config) -> Any:
    """As history files have to have it."""
    if not hasattr(operation, "evicted"):
        return operation
    return replace(
        operation, evicted=config.floor(min(operation.evicted, len(operation.key.tokens)))
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    config = draw(st.sampled_from(CONFIGS))
    kinds = [
        st.builds(
            kind,
            **{item.name: field_values(item.name, str(item.type), config) for item in fields(kind)},
        )
        for kind in OPERATIONS
    ]
    operations = draw(st.lists(st.one_of(kinds), min_size=1, max_size=14))
    return History(config, tuple(in_whole_pages(operation, config) for operation in operations))


def facts(history: History) -> set[object]:
    """Plain facts about a history, of the kind that bugs depend on."""
    operations, keys = (
        history.operations,
        [operation.key for operation in history.operations if hasattr(operation, "key")],
    )
    found: set[object] = {
        ("config", item.name, getattr(history.config, item.name)) for item in fields(Config)
    }
    found |= {
        ("operations, modulo 3", len(operations) % 3),
        ("tokens, modulo 3", sum(len(key.tokens) for key in keys) % 3),
    }
    found |= {
        ("next to each other", first.name, second.name) for first, second in pairwise(operations)
    }
    kinds = Counter(operation.name for operation in operations)
    found |= {("more than", number, name) for name, most in kinds.items() for number in range(most)}
    for operation in operations:
        values = {item.name: getattr(operation, item.name) for item in fields(operation)}
        found |= {
            ("value", operation.name, name, value)
            for name, value in values.items()
            if not isinstance(value, Key)
        }
    for key in keys:
        found |= {
            ("pages", pages) for pages in range(len(key.tokens) // history.config.page_size + 1)
        }
    for first, second in pairwise(keys):
        both = enumerate(zip(first.tokens, second.tokens, strict=False))
        found |= {("agree" if here == there else "differ", place) for place, (here, there) in both}
    return found


@given(histories(), st.data())
@settings(max_examples=40)
def test_nothing_can_be_left_out(history: History, data: st.DataObject) -> None:
    needed = set(data.draw(st.lists(st.sampled_from(sorted(facts(history), key=repr)), max_size=5)))

    def fails(candidate: History) -> bool:
        return needed <= facts(candidate)

    smallest = minimise(history, fails)
    assert_minimal(smallest, fails)
    assert from_json(to_json(smallest)) == smallest
    assert minimise(history, fails) == smallest


# -- with a real fault ---------------------------------------------------------------------------


def fails_as(signature: str) -> Fails:
    return lambda history: (
        run_history(find(FAULT), history, lambda other: other != signature) is not None
    )


def broken(seed: int) -> History:
    """The first history of a soak that shows the fault."""
    ran = (one(find(FAULT), seed, number, lambda _: False) for number in range(200))
    return next(
        each.history
        for each in ran
        if each.breach is not None and each.breach.signature == SIGNATURE
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_can_be_left_out_of_a_real_finding(seed: int) -> None:
    smallest = minimise(broken(seed), fails_as(SIGNATURE))
    assert smallest.operations == (Insert(Key((1, 2)), evicted=1), Evict(1))
    assert smallest.config == Config(window=1, swa_pages=8, swa_host_pages=16)
    assert_minimal(smallest, fails_as(SIGNATURE))


@pytest.mark.parametrize("seed", [3, 5])
def test_a_real_finding_of_200_operations_takes_few_runs(seed: int) -> None:
    short = broken(seed)
    before = tuple(islice(cycle(short.operations[:-1]), 200 - len(short.operations)))
    runs = Counted(fails_as(SIGNATURE))
    smallest = minimise(replace(short, operations=before + short.operations), runs)
    assert len(smallest.operations) == 2
    assert runs.count <= 100


# -- few runs ------------------------------------------------------------------------------------


class Counted:
    """Calls counted."""

    def __init__(self, fails: Fails) -> None:
        self.fails = fails
        self.count = 0

    def __call__(self, history: History) -> bool:
        self.count += 1
        return self.fails(history)


def has(*wanted: Operation | type) -> Fails:
    """Fails when these operations, or any of these kinds, occur in this order."""

    def fails(history: History) -> bool:
        rest = iter(history.operations)
        return all(
            any(operation == one or type(operation) is one for operation in rest) for one in wanted
        )

    return fails


@pytest.mark.parametrize(
    "needed",
    [(199,), (17, 199), (3, 50, 51, 120, 199), (0, 40, 80, 120, 160), tuple(range(9, 200, 19))],
)
def test_the_needed_ones_of_200_operations_are_found_in_few_runs(needed: tuple[int, ...]) -> None:
    operations = tuple(Match(Key((place,))) for place in range(200))
    wanted = tuple(operations[place] for place in needed)
    runs = Counted(has(*wanted))
    assert minimise(History(Config(), operations), runs).operations == wanted
    assert runs.count <= 30 + 15 * len(needed)


@pytest.mark.parametrize("calls", [0, 1, 10, 40])
def test_after_so_many_runs_the_best_so_far_has_to_do(calls: int) -> None:
    runs = Counted(has(*[Match] * 70))
    smallest = minimise(
        History(Config(), tuple(Match(Key((place,))) for place in range(200))), runs, calls=calls
    )
    assert runs.count == calls
    assert runs.fails(smallest)


def test_nothing_is_run_twice() -> None:
    seen: set[tuple[Config, tuple[Operation, ...]]] = set()

    def fails(history: History) -> bool:
        assert (history.config, history.operations) not in seen
        seen.add((history.config, history.operations))
        return has(Lock, Unlock)(history)

    minimise(History(RICH, MIXED), fails)


def test_progress_is_told_as_it_shrinks() -> None:
    told: list[int] = []
    minimise(History(Config(), tuple(Match(Key((1,))) for _ in range(9))), has(Match), told.append)
    assert told == sorted(told, reverse=True)
    assert told[-1] == 1


# -- plain ---------------------------------------------------------------------------------------

RICH = Config(
    page_size=2,
    window=5,
    device_pages=3,
    swa_pages=3,
    mamba_states=2,
    host_pages=20,
    swa_host_pages=2,
    mamba_host_states=30,
    write_back=True,
    threshold=3,
    eviction_policy=EvictionPolicy.PRIORITY,
    load_threshold=6,
    ranks=3,
)
MIXED: tuple[Operation, ...] = (
    Insert(Key((1, 2, 1, 2), "a"), 2, True, True, 3),
    Lock("r1", Key((1, 2))),
    HostLock("r2", Key((1, 2))),
    RunCopies(2, load=True, fail=True, rank=2),
    Match(Key((2, 2))),
    WritingCheck(blocking=True),
    LoadingCheck(blocking=True),
    Evict(6, 4, 1),
    EvictHost(8, Component.SWA),
    ReleaseWindow("r1"),
    Unlock("r1"),
    LoadBack(Key((1, 2, 1, 2, 1)), 2),
    HostInsert(Key((1, 2))),
    Refuse(Pool.MAMBA_HOST),
    Arrive("q1", Key((1, 2, 1, 2)), 4),
    Prefill("q1", 3),
    Decode("q1", (2, 1, 2)),
    Finish("q1"),
    Abort("q1"),
    Reset(),
)


def plainest(kind: Any) -> Any:
    return kind(
        **{
            item.name: {"Key": Key(()), "str": "r1"}[str(item.type)]
            for item in fields(kind)
            if item.default is MISSING
        }
    )


@pytest.mark.parametrize("kind", OPERATIONS)
def test_every_field_goes_back_to_its_default(kind: type) -> None:
    smallest = minimise(History(RICH, MIXED), has(kind))
    (left,) = smallest.operations
    names = {"receipt", "request"} & {item.name for item in fields(kind)}
    assert left == replace(plainest(kind), **{name: getattr(left, name) for name in names})
    assert smallest.config == Config()


@pytest.mark.parametrize(
    "kinds", list(combinations((Insert, RunCopies, Evict, Unlock, Arrive, Decode), 2))
)
def test_and_so_do_those_of_several_operations(kinds: tuple[type, ...]) -> None:
    smallest = minimise(History(RICH, MIXED), has(*kinds))
    assert tuple(type(operation) for operation in smallest.operations) == kinds
    assert smallest.config == Config()


@dataclass(frozen=True, slots=True)
class Invented:
    """An operation that the minimiser has never heard of."""

    name: ClassVar[str] = "invented"
    request: str
    prompt: Key
    hint: Key | None = None
    amount: int = 3
    limit: int | None = None
    bare: int = field(kw_only=True)
    sure: bool = True
    order: EvictionPolicy = EvictionPolicy.FIFO
    least: EvictionPolicy = field(kw_only=True)
    generated: tuple[int, ...] = ()


def test_an_operation_that_is_added_later_is_shrunk_as_well() -> None:
    strange: Any = Invented(
        "q",
        Key((1, 2), "a"),
        Key((3,)),
        9,
        5,
        False,
        EvictionPolicy.LFU,
        (4, 5),
        bare=7,
        least=EvictionPolicy.MRU,
    )
    smallest = minimise(History(RICH, (strange,)), has(Invented))
    plainest: Any = Invented("q", Key(()), Key(()), bare=0, least=EvictionPolicy.LRU)
    assert smallest.operations == (plainest,)
    assert smallest.config == Config()


@pytest.mark.parametrize(
    ("needs", "plain"),
    [
        (
            lambda config: config.window is not None,
            Config(window=1, swa_pages=8, swa_host_pages=16),
        ),
        (lambda config: config.mamba_states, Config(mamba_states=8, mamba_host_states=16)),
        (
            lambda config: config.mamba_states and config.mamba_states < 4,
            Config(mamba_states=2, mamba_host_states=16),
        ),
        (lambda config: config.page_size > 1, Config(page_size=2)),
        (lambda config: config.write_back, Config(write_back=True)),
        (lambda config: config.threshold > 1, Config(threshold=2)),
        (lambda config: config.load_threshold > 2, Config(load_threshold=3)),
        (
            lambda config: config.eviction_policy is EvictionPolicy.PRIORITY,
            Config(eviction_policy=EvictionPolicy.PRIORITY),
        ),
        (lambda config: config.ranks > 1, Config(ranks=2)),
        (lambda config: config.device_pages < 5, Config(device_pages=3)),
        (lambda config: config.host_pages > 17, Config(host_pages=18)),
    ],
)
def test_what_the_failure_needs_of_the_configuration_stays(
    needs: Callable[[Config], object], plain: Config
) -> None:
    assert minimise(History(RICH, MIXED), lambda history: bool(needs(history.config))) == History(
        plain, ()
    )


def test_bigrams_and_a_cache_without_a_host_tier_stay_if_they_have_to() -> None:
    bare = Config(window=4, swa_pages=5, host_pages=0, bigram=True)
    assert minimise(History(bare, MIXED), lambda _: True).config == Config()
    assert minimise(History(bare, MIXED), lambda history: history.config.bigram).config == Config(
        bigram=True
    )
    without_host = minimise(History(bare, MIXED), lambda history: not history.config.hosted)
    assert without_host.config == Config(host_pages=0)


@pytest.mark.parametrize(
    "operation",
    [
        EvictHost(1, Component.SWA),
        Evict(swa=1),
        Refuse(Pool.SWA),
        Refuse(Pool.SWA_HOST),
        Refuse(Pool.MAMBA),
        RunCopies(rank=1),
    ],
)
def test_what_an_operation_names_stays(operation: Operation) -> None:
    config = minimise(History(RICH, (*MIXED, operation)), has(operation)).config
    values = [getattr(operation, name, None) for name in ("component", "pool")]
    assert all(
        value in (*config.components, *config.pools) for value in values if value is not None
    )
    assert getattr(operation, "rank", 0) < config.ranks
    assert config.window is not None or not getattr(operation, "swa", 0)


@pytest.mark.parametrize(("load", "check"), [(False, WritingCheck), (True, LoadingCheck)])
def test_a_blocking_check_replaces_copies_and_polling(
    load: bool, check: Callable[..., Operation]
) -> None:
    def fails(history: History) -> bool:
        return (
            has(RunCopies(load=load), check())(history)
            or check(blocking=True) in history.operations
        )

    copies = (RunCopies(2, load=load), Match(Key(())), WritingCheck(), LoadingCheck())
    assert minimise(History(Config(), (RunCopies(load=load), *copies)), fails).operations == (
        check(blocking=True),
    )


def test_an_insert_replaces_a_request() -> None:
    def fails(history: History) -> bool:
        inserted = [
            operation.key.tokens
            for operation in history.operations
            if isinstance(operation, Insert) and operation.evicted > 1
        ]
        computed = [
            operation.key.tokens
            for operation in history.operations
            if isinstance(operation, Arrive)
        ]
        return any(
            len(tokens) >= 3
            for tokens in inserted + (computed if has(Arrive, Decode, Finish)(history) else [])
        )

    request = (
        Arrive("q1", Key((1, 1, 1))),
        Match(Key((1,))),
        Decode("q1", (2, 2)),
        Finish("q1"),
        Match(Key((2,))),
    )
    assert minimise(History(Config(), request), fails).operations == (
        Insert(Key((1, 2, 3)), evicted=2),
    )


@pytest.mark.parametrize("part", [LoadBack(Key((1,)), 2), Lock("q1", Key((1,)))])
def test_a_part_of_an_arrival_replaces_it(part: Operation) -> None:
    def fails(history: History) -> bool:
        return part in history.operations or Arrive("q1", Key((1,)), 2) in history.operations

    assert minimise(History(Config(), (Arrive("q1", Key((1,)), 2),)), fails).operations == (part,)


@pytest.mark.parametrize(
    "looking", [LoadBack(Key((1,))), Lock("r", Key((1,))), Insert(Key((1,))), HostInsert(Key((1,)))]
)
def test_a_match_replaces_what_matters_only_because_it_looks(looking: Operation) -> None:
    def fails(history: History) -> bool:
        keys = [getattr(operation, "key", None) for operation in history.operations]
        return keys == [Key((1,)), Key((1, 2))] and isinstance(history.operations[1], Insert)

    smallest = minimise(History(Config(), (looking, Insert(Key((1, 2))))), fails)
    assert smallest.operations == (Match(Key((1,))), Insert(Key((1, 2))))


def test_pages_get_smaller_and_all_amounts_with_them() -> None:
    """A prompt of two pages whose first has left the window, in pages of four tokens.

    Then room is made for as much.
    """

    def fails(history: History) -> bool:
        size = history.config.page_size
        rest = iter(history.operations)
        inserted = any(
            isinstance(each, Insert) and len(each.key.tokens) >= 2 * size and each.evicted >= size
            for each in rest
        )
        return inserted and any(isinstance(each, Evict) and each.full >= 2 * size for each in rest)

    config = Config(page_size=4, window=7, swa_pages=3, swa_host_pages=3)
    history = History(config, (Insert(Key((5, 6, 7, 8, 5, 6, 7, 8, 9)), 4), Evict(8)))
    smallest = minimise(
        history, lambda each: fails(each) and (each.config.window or 0) > each.config.page_size
    )
    assert smallest == History(
        Config(window=2, swa_pages=8, swa_host_pages=16), (Insert(Key((1, 2)), 1), Evict(2))
    )


def test_prompts_agree_where_they_can_and_count_their_tokens() -> None:
    def fails(history: History) -> bool:
        keys = [
            operation.key.tokens for operation in history.operations if isinstance(operation, Match)
        ]
        return any(
            len(one) == len(other) == 3 and one[1] != other[1] for one, other in pairwise(keys)
        )

    smallest = minimise(
        History(Config(), (Match(Key((9, 8, 7), "a")), Match(Key((6, 5, 4))))), fails
    )
    assert smallest.operations == (Match(Key((1, 2, 3))), Match(Key((1, 102, 3))))


def test_generated_tokens_go_on_counting_where_the_prompt_ends() -> None:
    def fails(history: History) -> bool:
        prompts = [
            operation.key.tokens
            for operation in history.operations
            if isinstance(operation, Arrive | Match)
        ]
        generated = [
            operation.tokens for operation in history.operations if isinstance(operation, Decode)
        ]
        return (
            len(prompts) == len(generated) + 1 == 2
            and prompts[0] + generated[0] == prompts[1]
            and len(prompts[1]) > 3
        )

    history = History(
        Config(),
        (Arrive("q1", Key((7, 7))), Decode("q1", (8, 9)), Finish("q1"), Match(Key((7, 7, 8, 9)))),
    )
    smallest = minimise(history, fails)
    assert smallest.operations == (
        Arrive("q1", Key((1, 2))),
        Decode("q1", (3, 4)),
        Match(Key((1, 2, 3, 4))),
    )

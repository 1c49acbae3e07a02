"""The minimiser: plain histories, in which nothing is as it is without need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, replace
from itertools import combinations, pairwise
from typing import Any, ClassVar

import pytest

from radixproof.impl.operations import (
    NO_PROMPT,
    OPERATIONS,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    Finish,
    History,
    HostInsert,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Refuse,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.search.minimise import minimise

from .failing import MIXED, RICH, has

A, AB = Key((1,)), Key((1, 2))


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
    names = {"receipt", "request", "prefetch"} & {item.name for item in fields(kind)}
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


def test_a_late_use_is_one_at_once_unless_it_has_to_be_late() -> None:
    late = (Insert(AB), Match(AB, "m1"), Match(A), Lock("r1", NO_PROMPT, "m1"), Unlock("r1"))
    history = History(Config(), late)
    assert minimise(history, has(Lock)).operations == (Lock("r1", Key(())),)

    def locks_what_was_split(history: History) -> bool:
        """The lock comes after a match of less, and by whatever way names two tokens."""
        found: dict[str | None, Key] = {}
        last = Key(())
        for operation in history.operations:
            if isinstance(operation, Match):
                found[operation.kept] = last = operation.key
            if isinstance(operation, Lock):
                key = operation.key if operation.kept is None else found.get(operation.kept)
                return key == AB and last == A
        return False

    assert minimise(history, locks_what_was_split).operations == (Match(A), Lock("r1", AB))

    def kept(history: History) -> bool:
        return any(isinstance(one, Lock) and one.kept for one in history.operations)

    assert minimise(history, kept).operations == (Lock("r1", NO_PROMPT, "m1"),)

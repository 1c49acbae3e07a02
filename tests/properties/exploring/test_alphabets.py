"""Alphabets: the operations of a scope, kind by kind."""

from __future__ import annotations

from radixproof.impl.operations import (
    NO_PROMPT,
    Abort,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Prefill,
    ReleaseWindow,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.model.config import Config, EvictionPolicy
from radixproof.model.key import Key
from radixproof.properties.exploring import alphabets
from radixproof.properties.exploring.alphabets import key_of, operations, prompts

SWA = Config(page_size=2, window=1, swa_pages=4, swa_host_pages=4)
A = Key((1, 1))


def test_prompts_are_of_whole_pages_of_two_kinds() -> None:
    assert prompts(Config(page_size=2), 1) == [Key((1, 1)), Key((2, 2))]
    assert len(prompts(Config(), 3)) == 2 + 4 + 8


def test_an_insert_comes_with_its_window_or_without() -> None:
    made = operations(SWA, [Key((1, 1, 2, 2))], [Insert])
    assert [one.evicted for one in made if isinstance(one, Insert)] == [0, 2]
    urgent = Config(eviction_policy=EvictionPolicy.PRIORITY, mamba_states=1, mamba_host_states=1)
    made = operations(urgent, [Key((1,))], [Insert])
    assert {(one.state, one.priority) for one in made if isinstance(one, Insert)} == {
        (True, 0),
        (True, 1),
        (False, 0),
        (False, 1),
    }


def test_an_alphabet_is_in_the_order_of_its_kinds() -> None:
    made = operations(SWA, [Key((1, 1))], [Match, Lock, Evict])
    assert list(map(type, made)) == [Match, Lock, Unlock, Evict, Evict]


def test_every_rank_runs_its_copies() -> None:
    made = operations(Config(ranks=2), [], [RunCopies])
    assert made[:3] == (RunCopies(1), RunCopies(1, rank=1), WritingCheck())


def test_a_key_has_whole_pages_of_one_kind_each() -> None:
    assert key_of(Config(page_size=2), 1, 2) == Key((1, 1, 2, 2))
    assert key_of(Config()) == Key(())


def test_an_alphabet_may_be_narrower_or_rarer_than_a_kind() -> None:
    stateful = Config(mamba_states=1, mamba_host_states=1)
    made = operations(stateful, [Key((1,))], [alphabets.plain_inserts, Evict])
    assert made == (Insert(Key((1,)), reuse=True, state=True), Evict(full=1), Evict(mamba=1))
    assert operations(SWA, [A], [alphabets.gone_inserts]) == (Insert(A, 2), Insert(Key((1,))))
    assert operations(SWA, [A], [alphabets.larger_evictions]) == (
        Evict(full=4),
        Evict(swa=4),
        Evict(2, 6),
        EvictHost(4),
    )
    loads = operations(SWA, [A], [alphabets.loads_within])
    assert [one.quota for one in loads if isinstance(one, LoadBack)] == [0, 2, 3]
    assert [one.quota for one in loads if isinstance(one, Arrive)] == [0, 2, 3]
    urgent = operations(SWA, [A], [alphabets.urgent_inserts])
    assert [one.priority for one in urgent if isinstance(one, Insert)] == [-1, 0, 1]
    assert operations(SWA, [], [alphabets.polls]) == (WritingCheck(), LoadingCheck())


def test_other_namespaces_have_the_same_prompts() -> None:
    made = operations(SWA, [A], [alphabets.neighbours])
    assert {one.key.namespace for one in made if isinstance(one, Insert)} == {"a", "A", "1"}
    assert {type(one) for one in made} == {Insert, Match, HostInsert, HostLock}


def test_what_a_match_has_found_is_used_in_every_way() -> None:
    assert operations(SWA, [A], [alphabets.uses]) == (
        Match(A, "m"),
        Lock("r", NO_PROMPT, "m"),
        Unlock("r"),
        HostLock("h", NO_PROMPT, "m"),
        Unlock("h"),
        LoadBack(NO_PROMPT, kept="m"),
    )
    assert len(operations(Config(host_pages=0), [A], [alphabets.uses])) == 3


def test_two_of_a_kind_may_be_out_at_once() -> None:
    locks = operations(SWA, [A], [alphabets.two_locks])
    assert locks == tuple(
        one for name in "ro" for one in (Lock(name, A), Unlock(name), ReleaseWindow(name))
    )
    assert operations(Config(), [A], [alphabets.two_requests]) == tuple(
        one for name in "qo" for one in (Arrive(name, Key(())), Arrive(name, A), Abort(name))
    )


def test_copies_fail_on_every_rank_and_steps_are_launched_or_long() -> None:
    failing = operations(Config(ranks=2), [], [alphabets.failing_copies])
    assert failing == tuple(
        RunCopies(1, load, fail=True, rank=rank) for load in (False, True) for rank in (0, 1)
    )
    assert operations(SWA, [], [alphabets.forwards]) == (
        Prefill("q", 2, launched=True),
        Prefill("q", 4, launched=True),
        Decode("q", (1, 1), launched=True),
        RunForward(),
    )
    long = operations(SWA, [], [alphabets.long_decodes])
    assert long[0] == Arrive("q", Key(()))
    assert [one.tokens for one in long if isinstance(one, Prefill)] == [4, 6]
    assert [len(one.tokens) for one in long if isinstance(one, Decode)] == [4, 6]

"""Histories as files: they come from strangers, so every fault is named with its place."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixproof.impl.operations import (
    NO_PROMPT,
    OPERATIONS,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    History,
    Insert,
    LoadBack,
    Match,
    Operation,
    Prefill,
    Refuse,
    Reset,
    RunCopies,
    WritingCheck,
)
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.generating.configs import config
from radixproof.properties.histories.history_json import HistoryError, from_json, to_json

from ...releases import AGAIN

WINDOWED = Config(page_size=2, window=3, swa_pages=8, swa_host_pages=16)
EVERYTHING = Config(
    2,
    3,
    8,
    8,
    4,
    16,
    16,
    4,
    write_back=True,
    threshold=2,
    eviction_policy=EvictionPolicy.SLRU,
    load_threshold=3,
    ranks=3,
)

small = st.integers(0, 9)
keys = st.builds(
    Key, st.lists(small, max_size=5).map(tuple), st.sampled_from(["", "a", "tenant_1"])
)
OF_FIELD: dict[str, st.SearchStrategy[object]] = {
    "key": keys,
    "receipt": st.sampled_from(["r1", "h2", "held"]),
    "request": st.sampled_from(["q1", "p"]),
    "evicted": small.map(lambda pages: 2 * pages),
    "prefetch": st.sampled_from(["f1", "g"]),
    "rank": st.integers(0, 2),
}
OF_TYPE: dict[object, st.SearchStrategy[object]] = {
    int: small,
    int | None: st.none() | small,
    str | None: st.none() | st.sampled_from(["m1", "found"]),
    bool: st.booleans(),
    Component: st.sampled_from(Component),
    Pool: st.sampled_from(Pool),
    tuple[int, ...]: st.lists(small, max_size=4).map(tuple),
}


def any_of(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    """Operations of one kind, with anything in any of their fields."""
    hints = get_type_hints(kind)
    names = [item.name for item in fields(kind)]
    return st.builds(
        kind,
        **{name: OF_FIELD[name] if name in OF_FIELD else OF_TYPE[hints[name]] for name in names},
    )


origins = st.dictionaries(st.sampled_from(["system", "seed"]), st.text(max_size=5))


@given(st.lists(st.one_of(*map(any_of, OPERATIONS)), max_size=8), origins)
def test_what_is_written_is_read_back(steps: list[Operation], origin: dict[str, str]) -> None:
    history = History(EVERYTHING, tuple(steps), origin)
    assert from_json(to_json(history)) == history


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.name)
def test_every_kind_of_operation_is_written_and_read_back(kind: type[Operation]) -> None:
    @given(any_of(kind))
    def there_and_back(operation: Operation) -> None:
        history = History(EVERYTHING, (operation,))
        assert from_json(to_json(history)) == history

    there_and_back()


@given(st.randoms(use_true_random=False).map(config))
def test_every_configuration_is_written_and_read_back(shape: Config) -> None:
    assert from_json(to_json(History(shape, ()))) == History(shape, ())


def test_a_file_has_one_operation_a_line() -> None:
    text = to_json(History(WINDOWED, (Match(Key((1,))), Reset())))
    assert '\n    {"op": "match", "tokens": [1]},\n    {"op": "reset"}\n' in text


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        (Insert(Key((1, 2))), '{"op": "insert", "tokens": [1, 2]}'),
        (
            Insert(Key((1,), "a"), 2, True),
            '{"op": "insert", "tokens": [1], "namespace": "a", "evicted": 2, "reuse": true}',
        ),
        (
            Insert(Key((1,)), state=True, priority=-1),
            '{"op": "insert", "tokens": [1], "state": true, "priority": -1}',
        ),
        (Evict(mamba=1), '{"op": "evict", "mamba": 1}'),
        (Evict(), '{"op": "evict"}'),
        (EvictHost(1, Component.SWA), '{"op": "evict_host", "tokens": 1, "component": "swa"}'),
        (Match(Key((1,)), "m1"), '{"op": "match", "tokens": [1], "kept": "m1"}'),
        (
            LoadBack(NO_PROMPT, 2, "m1"),
            '{"op": "load_back", "tokens": [], "quota": 2, "kept": "m1"}',
        ),
        (LoadBack(Key((1,)), 0), '{"op": "load_back", "tokens": [1], "quota": 0}'),
        (RunCopies(1, rank=1), '{"op": "run_copies", "rank": 1}'),
        (Refuse(Pool.SWA_HOST), '{"op": "refuse", "pool": "swa_host"}'),
        (Arrive("q1", Key((1,))), '{"op": "arrive", "request": "q1", "tokens": [1]}'),
        (Prefill("q1"), '{"op": "prefill", "request": "q1"}'),
        (Decode("q1", (4, 5)), '{"op": "decode", "request": "q1", "tokens": [4, 5]}'),
        (WritingCheck(blocking=True), '{"op": "writing_check", "blocking": true}'),
    ],
    ids=str,
)
def test_only_what_is_not_as_usual_is_written(operation: Operation, line: str) -> None:
    assert to_json(History(EVERYTHING, (operation,))).splitlines()[-3].strip() == line


def document(**changes: object) -> str:
    """A sound history of one insert, with some top-level fields changed."""
    operation = {"op": "insert", "tokens": [1, 2], "evicted": 2, "reuse": False}
    config = {"page_size": 2, "window": 3, "swa_pages": 8, "swa_host_pages": 16}
    return json.dumps({"radixproof": 2, "config": config, "operations": [operation]} | changes)


def test_the_document_of_these_tests_is_sound() -> None:
    assert from_json(document()).operations == (Insert(Key((1, 2)), 2),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        (document()[:-10], "cut short"),
        ("[]", "not a history"),
        (document(radixproof=3), "not a history"),
        (document(extra=1), "the top level: unknown field 'extra'"),
        (document(origin={"seed": 1}), "origin: must be an object of strings"),
        (document(operations={}), "operations: must be a list"),
        (document(config=None), "config: must be an object"),
        (document(config={"page_size": 0}), "config: page_size must be at least 1, got 0"),
        (document(config={"page_size": "2"}), "config.page_size: must be a whole number"),
        (document(config={"page_size": True}), "config.page_size: must be a whole number"),
        (document(config={"pages": 2}), "config: unknown field 'pages'"),
        (
            document(config={"swa_pages": 2}),
            "config: the swa pools must have room on each tier if the cache has swa there",
        ),
        (document(config={"window": 2}), "config: the swa pools must have room"),
        (document(config={"mamba_states": 2}), "config: the mamba pools must have room"),
        (
            document(config={"eviction_policy": "random"}),
            "config.eviction_policy: must be one of lru, lfu, fifo, mru, filo, priority, slru, got",
        ),
        (document(config={"write_back": 1}), "config.write_back: must be true or false"),
        (
            document(config={"write_back": True, "host_pages": 0}),
            "config: write_back needs a host tier",
        ),
        (
            document(config={"bigram": True, "mamba_states": 1, "mamba_host_states": 1}),
            "config: bigram keys and MAMBA",
        ),
        (document(config={"ranks": 0}), "config: ranks must be at least 1"),
    ],
)
def test_a_bad_document_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(HistoryError) as refused:
        from_json(text)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("operation", "complaint"),
    [
        (7, "operations[0]: must be an object"),
        ({"op": "explode"}, "operations[0].op: unknown operation 'explode' (known: match, insert"),
        ({}, "operations[0].op: missing"),
        ({"op": None}, "operations[0].op: unknown operation null (known: match"),
        ({"op": "match"}, "operations[0].tokens: missing"),
        (
            {"op": "match", "tokens": {}},
            "operations[0].tokens: must be a list of at most 100,000 tokens, got {}",
        ),
        ({"op": "match", "tokens": [1, -2]}, "operations[0].tokens[1]: must be a whole number"),
        ({"op": "match", "tokens": [1.5]}, "operations[0].tokens[0]"),
        (
            {"op": "match", "tokens": [1], "namespace": "a b"},
            "operations[0].namespace: must be a name",
        ),
        ({"op": "match", "tokens": [1], "reuse": True}, "operations[0]: unknown field 'reuse'"),
        ({"op": "match", "tokens": [1], "key": [1]}, "operations[0]: unknown field 'key'"),
        (
            {"op": "insert", "tokens": [1, 2], "evicted": 1},
            "operations[0].evicted: must be a multiple of the page size 2, got 1",
        ),
        (
            {"op": "insert", "tokens": [1, 2], "reuse": 1},
            "operations[0].reuse: must be true or false",
        ),
        (
            {"op": "insert", "tokens": [1, 2], "state": "yes"},
            "operations[0].state: must be true or false",
        ),
        ({"op": "lock", "tokens": [1]}, "operations[0].receipt: missing"),
        ({"op": "lock", "tokens": [1], "receipt": ""}, "operations[0].receipt: must not be empty"),
        (
            {"op": "host_lock", "tokens": [1], "receipt": "h 1"},
            "operations[0].receipt: must be a name",
        ),
        ({"op": "unlock", "receipt": 3}, "operations[0].receipt: must be a name"),
        ({"op": "evict", "full": -1}, "operations[0].full: must be a whole number"),
        (
            {"op": "evict_host", "tokens": 1, "component": "ssm"},
            "operations[0].component: must be one of full, swa, mamba, got",
        ),
        (
            {"op": "evict_host", "tokens": 1, "component": "mamba"},
            "operations[0].component: this cache has no MAMBA",
        ),
        (
            {"op": "load_back", "tokens": [1], "quota": "none"},
            "operations[0].quota: must be a whole number",
        ),
        ({"op": "run_copies", "count": "all"}, "operations[0].count: must be a whole number"),
        (
            {"op": "run_copies", "rank": 1},
            "operations[0].rank: this cache has 1 rank, counted from 0, got 1",
        ),
        (
            {"op": "writing_check", "blocking": None},
            "operations[0].blocking: must be true or false",
        ),
        (
            {"op": "refuse", "pool": "disk"},
            "operations[0].pool: must be one of full, swa, mamba, full_host, swa_host, mamba_host",
        ),
        ({"op": "arrive", "tokens": [1]}, "operations[0].request: missing"),
        (
            {"op": "arrive", "tokens": [1], "request": "q's"},
            "operations[0].request: must be a name",
        ),
        (
            {"op": "decode", "request": "q", "tokens": [1, "a"]},
            "operations[0].tokens[1]: must be a whole number",
        ),
        (
            {"op": "decode", "request": "q", "namespace": "a"},
            "operations[0]: unknown field 'namespace'",
        ),
    ],
)
def test_a_bad_operation_is_refused(operation: object, complaint: str) -> None:
    with pytest.raises(HistoryError) as refused:
        from_json(document(operations=[operation]))
    assert complaint in str(refused.value)


def test_a_full_only_cache_has_no_swa_to_evict() -> None:
    with pytest.raises(HistoryError, match="this cache has no SWA"):
        from_json(
            document(config={}, operations=[{"op": "evict_host", "tokens": 1, "component": "swa"}])
        )


MATCH = {"op": "match", "tokens": [1]}


def tokens_of(count: int) -> dict[str, object]:
    return {"op": "match", "tokens": [1] * count}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "[" * 100_000,
            "its brackets are nested too deeply; those of a history are four deep",
        ),
        ('{"a": ' * 100_000, "not a history: its brackets are nested too deeply"),
        (
            "[" * 10**6,
            "not a history: it has 1,000,000 opening brackets; one with 50,000 operations, the most"
            " there may be, has at most 101,000",
        ),
        (
            "[" + "0," * 6_000_000 + "0]",
            "not a history: it has 6,000,000 commas; one with 5,000,000 tokens and 50,000",
        ),
        (
            document(config={"page_size": 7}).replace("7", "9" * 5001),
            "a number in it has thousands of digits; the largest there may be is 2,147,483,647",
        ),
        (document(config={"page_size": 10**30}), "config.page_size: must be a whole number"),
        (
            document(config={"page_size": 10**9}),
            "config: all pools together would have 24,000,000,000 slots (pages times page size"
            " times ranks; FULL_HOST alone has 16,000,000,000); there may be at most 1,000,000",
        ),
        (document(config={"host_pages": 10**9}), "FULL_HOST alone has 1,000,000,000)"),
        (document(config={"ranks": 64, "device_pages": 20_000}), "FULL alone has 1,280,000)"),
        (document(config={"ranks": 10**7}), "config.ranks: must be at most 64, got 10,000,000"),
        (
            document(operations=[MATCH] * 50_001),
            "operations: must be a list of at most 50,000 operations, got 50,001 operations",
        ),
        (document(operations=[{"op": "reset"}] * 100_000), "got 100,000 operations"),
        (
            document(operations=[tokens_of(100_001)]),
            "operations[0].tokens: must be a list of at most 100,000 tokens, got 100,001 tokens",
        ),
        (
            document(operations=[tokens_of(100_000)] * 51),
            "operations: must have at most 5,000,000 tokens in all, got 5,100,000",
        ),
        (
            document(operations=[{"op": "match", "tokens": [2**31]}]),
            "operations[0].tokens[0]: must be a whole number of 0 or more, at most 2,147,483,647,"
            " got 2147483648",
        ),
        (document(origin={"seed": "\ud800"}), "half a character"),
        (document(config={"window": float("nan")}), "config.window: must be a whole number"),
        (document(config={"window": 1e999}), "config.window: must be a whole number"),
        (document(config={"window": True}), "config.window: must be a whole number"),
        (document(config={"window": 3.0}), "config.window: must be a whole number"),
        (document(**{"a - at `$.b": 1}), "the top level: unknown field 'a - at `$.b'"),
        (document(config={"a - at `$.b": 1}), "config: unknown field 'a - at `$.b'"),
        (
            document(operations=[{"op": "evict_host", "tokens": [1]}]),
            "operations[0].tokens: must be a whole number",
        ),
        (
            document(operations=[{"op": "unlock", "receipt": "r " * 5_000}]),
            "must be a name of at most 1,000 letters, digits and underscores, got 'r r r ",
        ),
        (
            document(operations=[{"op": "unlock", "receipt": "r" * 1_001}]),
            "operations[0].receipt: must be a name of at most 1,000 letters",
        ),
        (
            document(operations=[{"op": "unlock", "receipt": "r\0"}]),
            "operations[0].receipt: must be a name",
        ),
        (document(origin={"seed": "1" * 10_001}), "each of at most 10,000 characters"),
        (
            document().replace('"page_size": 2', '"page_size": 1, "page_size": 2'),
            "'page_size' stands twice in {'page_size': 2",
        ),
        (document().replace("[1, 2]", '[1, 2], "tokens": []'), "'tokens' stands twice in {"),
    ],
    ids=range(29),
)
def test_what_is_too_large_or_too_odd_is_refused_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(HistoryError) as refused:
        from_json(text)
    assert complaint in str(refused.value)
    assert len(str(refused.value)) < 500


@AGAIN
def test_what_is_as_large_as_may_be_is_read() -> None:
    config = {"device_pages": 15_625, "host_pages": 0, "ranks": 64}
    assert from_json(document(config=config, operations=[])).config.ranks == 64
    many = [tokens_of(100)] * 50_000
    assert len(from_json(document(operations=many)).operations) == 50_000
    assert len(from_json(document(operations=[tokens_of(100_000)] * 50)).operations) == 50
    operations = [{"op": "unlock", "receipt": "r" * 1_000}]
    assert from_json(document(operations=operations, origin={"x": "[" * 900}))

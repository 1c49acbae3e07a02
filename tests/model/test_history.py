"""Histories as files: they come from strangers, so every fault is named with its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixproof.model.config import Component, Config
from radixproof.model.history import History, HistoryError, from_json, to_json
from radixproof.model.operations import (
    Evict,
    EvictHost,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)

WINDOWED = Config(page_size=2, window=3, swa_pages=8, swa_host_pages=16)

small = st.integers(0, 9)
keys = st.builds(Key, st.lists(small, max_size=5).map(tuple), st.sampled_from(["", "a", "tenant_1"]))
names = st.sampled_from(["r1", "r2", "held"])
operations = st.one_of(
    st.builds(Match, keys),
    st.builds(Insert, keys, small.map(lambda pages: 2 * pages), st.booleans()),
    st.builds(Lock, names, keys),
    st.builds(Unlock, names),
    st.builds(Evict, small, small),
    st.builds(EvictHost, small, st.sampled_from(Component)),
    st.builds(RunCopies, small),
    st.builds(WritingCheck, st.booleans()),
    st.just(Reset()),
)


@given(st.lists(operations, max_size=8), st.dictionaries(st.sampled_from(["system", "seed"]), st.text(max_size=5)))
def test_what_is_written_is_read_back(steps: list[Operation], origin: dict[str, str]) -> None:
    history = History(WINDOWED, tuple(steps), origin)
    assert from_json(to_json(history)) == history


def test_a_file_has_one_operation_a_line() -> None:
    text = to_json(History(WINDOWED, (Match(Key((1,))), Reset())))
    assert '\n    {"op": "match", "tokens": [1]},\n    {"op": "reset"}\n' in text


def document(**changes: object) -> str:
    """A sound history of one insert, with some top-level fields changed."""
    operation = {"op": "insert", "tokens": [1, 2], "evicted": 2, "reuse": False}
    config = {"page_size": 2, "window": 3, "swa_pages": 8, "swa_host_pages": 16}
    return json.dumps({"radixproof": 1, "config": config, "operations": [operation]} | changes)


def test_the_document_of_these_tests_is_sound() -> None:
    assert from_json(document()).operations == (Insert(Key((1, 2)), 2),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        (document()[:-10], "cut short"),
        ("[]", "not a history"),
        (document(radixproof=2), "not a history"),
        (document(extra=1), "the top level: unknown field 'extra'"),
        (document(origin={"seed": 1}), "origin: must be an object of strings"),
        (document(operations={}), "operations: must be a list"),
        (document(config=None), "config: must be an object"),
        (document(config={"page_size": 0}), "config: page_size must be at least 1, got 0"),
        (document(config={"page_size": "2"}), "config.page_size: must be a whole number"),
        (document(config={"page_size": True}), "config.page_size: must be a whole number"),
        (document(config={"pages": 2}), "config: unknown field 'pages'"),
        (document(config={"swa_pages": 2}), "config: a FULL-only cache"),
        (document(config={"window": 2}), "config: with a window"),
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
        ({}, "operations[0].op: unknown operation None"),
        ({"op": "match"}, "operations[0].tokens: must be a list of tokens"),
        ({"op": "match", "tokens": [1, -2]}, "operations[0].tokens[1]: must be a whole number"),
        ({"op": "match", "tokens": [1.5]}, "operations[0].tokens[0]"),
        ({"op": "match", "tokens": [1], "namespace": "a b"}, "operations[0].namespace: must be a name"),
        ({"op": "match", "tokens": [1], "reuse": True}, "operations[0]: unknown field 'reuse'"),
        ({"op": "insert", "tokens": [1, 2], "evicted": 1}, "operations[0].evicted: must be a multiple of the page size 2, got 1"),
        ({"op": "insert", "tokens": [1, 2], "reuse": 1}, "operations[0].reuse: must be true or false"),
        ({"op": "lock", "tokens": [1]}, "operations[0].receipt: missing"),
        ({"op": "lock", "tokens": [1], "receipt": ""}, "operations[0].receipt: must not be empty"),
        ({"op": "unlock", "receipt": 3}, "operations[0].receipt: must be a name"),
        ({"op": "evict", "swa": 1}, "operations[0].full: missing"),
        ({"op": "evict", "full": -1}, "operations[0].full: must be a whole number"),
        ({"op": "evict_host", "tokens": 1, "component": "mamba"}, "operations[0].component: must be one of full, swa"),
        ({"op": "run_copies", "count": "all"}, "operations[0].count: must be a whole number"),
        ({"op": "writing_check", "blocking": None}, "operations[0].blocking: must be true or false"),
    ],
)
def test_a_bad_operation_is_refused(operation: object, complaint: str) -> None:
    with pytest.raises(HistoryError) as refused:
        from_json(document(operations=[operation]))
    assert complaint in str(refused.value)


def test_a_full_only_cache_has_no_swa_to_evict() -> None:
    with pytest.raises(HistoryError, match="this cache has no SWA"):
        from_json(document(config={}, operations=[{"op": "evict_host", "tokens": 1, "component": "swa"}]))

"""Operations as statements."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import (
    NO_PROMPT,
    OPERATIONS,
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Refuse,
    ReleaseWindow,
    Requested,
    Reset,
    RunCopies,
    RunForward,
    Unlock,
    WritingCheck,
)
from radixproof.impl.sglang.paste.statements import WRITTEN, Statements
from radixproof.model.config import Component, Config
from radixproof.model.key import Key

SWA = Config(window=1, swa_pages=8, swa_host_pages=16)
PAGED = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16)
STATES = Config(mamba_states=2, mamba_host_states=4)
MATCHED = "tree.match_prefix(MatchPrefixParams(key=key(1, 2)))"
KEY = Key((1, 2))
QUEUE = "tree.cache_controller.ack_write_queue"


def of(config: Config, *operations: Operation, filled: Component | None = None) -> list[str]:
    statements = Statements(config, filled, limited=True, held=False)
    return [line for operation in operations for line in statements.of(operation)]


def test_where_backups_are_held_back_a_poll_submits_them() -> None:
    statements = Statements(SWA, None, limited=True, held=True)
    checks = [statements.of(WritingCheck(blocking)) for blocking in (False, True)]
    assert checks == [["poll()"], ["tree.writing_check(write_back=True)"]]


def test_all_that_a_release_can_be_put_to_is_written() -> None:
    requested = {kind for kind in OPERATIONS if issubclass(kind, Requested)}
    assert WRITTEN | requested | {Refuse, RunForward} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("config", "operation", "lines"),
    [
        (SWA, Match(KEY), [MATCHED]),
        (SWA, Match(Key((), "a")), [MATCHED.replace("key(1, 2)", 'key(extra_key="a")')]),
        (SWA, HostInsert(KEY), ["storage.host_insert([1, 2])"]),
        (SWA, Evict(3), ["tree.evict(EvictParams(num_tokens=3))"]),
        (SWA, Evict(0, 2), ["tree.evict(EvictParams(num_tokens=0, swa_num_tokens=2))"]),
        (STATES, Evict(1, mamba=2), ["tree.evict(EvictParams(num_tokens=1, mamba_num=2))"]),
        (SWA, EvictHost(1, Component.SWA), ["tree.evict_host(1, ComponentType.SWA)"]),
        (SWA, LoadBack(KEY), ["load_back(key(1, 2))"]),
        (SWA, LoadBack(KEY, 0), ["load_back(key(1, 2), mem_quota=0)"]),
        (SWA, Match(KEY, "m1"), [f"found_m1 = {MATCHED}"]),
        (SWA, LoadBack(NO_PROMPT, None, "m1"), ["load_back(found=found_m1)"]),
        (SWA, LoadBack(NO_PROMPT, 0, "m1"), ["load_back(found=found_m1, mem_quota=0)"]),
        (
            SWA,
            Lock("r", NO_PROMPT, "m1"),
            [
                "node_r = found_m1.last_device_node",
                "receipt_r = tree.inc_lock_ref(node_r).to_dec_params()",
            ],
        ),
        (
            SWA,
            HostLock("r", NO_PROMPT, "m1"),
            [
                "node_r = found_m1.best_match_node",
                "receipt_r = tree.inc_host_lock_ref(node_r).to_dec_params()",
            ],
        ),
        (SWA, WritingCheck(), ["tree.writing_check()"]),
        (SWA, WritingCheck(blocking=True), ["tree.writing_check(write_back=True)"]),
        (SWA, LoadingCheck(), ["tree.loading_check()"]),
        (
            SWA,
            LoadingCheck(blocking=True),
            [
                "for copy in tree.cache_controller.ack_load_queue:",
                "    copy.finish_event.synchronize()",
                "tree.loading_check()",
            ],
        ),
    ],
)
def test_calls(config: Config, operation: Operation, lines: list[str]) -> None:
    assert of(config, operation) == lines


@pytest.mark.parametrize(
    ("config", "insert", "lines"),
    [
        (SWA, Insert(KEY), ["insert(key(1, 2), allocator.alloc(2))"]),
        (PAGED, Insert(KEY), ["insert(key(1, 2), alloc(2))"]),
        (
            Config(window=1, swa_pages=8, swa_host_pages=16, bigram=True),
            Insert(KEY, priority=3),
            ["insert(key(1, 2), allocator.alloc(1), priority=3)"],
        ),
        (
            SWA,
            Insert(KEY, evicted=1),
            [
                "slots = allocator.alloc(2)",
                "allocator.free_swa(slots[:1])  # the window has slid past them",
                "insert(key(1, 2), slots, evicted=1)",
            ],
        ),
        (
            PAGED,
            Insert(Key((1, 2, 3))),
            [
                "slots = alloc(4)",
                "insert(key(1, 2, 3), slots[:3])",
                "allocator.free(slots[2:])  # the page that is not full",
            ],
        ),
        (
            SWA,
            Insert(KEY, evicted=2, reuse=True),
            [
                f"owned = device_indices({MATCHED})",
                "slots = torch.cat([owned, allocator.alloc(2 - len(owned))])",
                "allocator.free_swa(slots[len(owned) : 2])  # the window has slid past them",
                "insert(key(1, 2), slots, prev_prefix_len=len(owned), evicted=max(len(owned), 2))",
            ],
        ),
        (
            PAGED,
            Insert(Key((1, 2, 3)), evicted=4),
            [
                "slots = alloc(4)",
                "allocator.free_swa(slots[:4])  # the window has slid past them",
                "insert(key(1, 2, 3), slots[:3], evicted=4)",
                "free(slots[2:])  # the page that is not full",
            ],
        ),
    ],
)
def test_an_insert_brings_slots_as_a_request_does(
    config: Config, insert: Insert, lines: list[str]
) -> None:
    assert of(config, insert) == lines


def test_where_content_is_asserted_inserts_bring_some() -> None:
    insert = "insert(key(1, 2), slots)"
    tokens = "tokens = torch.tensor([1, 2], dtype=torch.float32, device=DEVICE)"
    assert of(SWA, Insert(KEY), filled=Component.FULL) == [
        "slots = allocator.alloc(2)",
        tokens,
        "content[slots, 0, 0] = tokens",
        insert,
    ]
    mapped = "content[allocator.full_to_swa_index_mapping[slots], 0, 0] = tokens"
    assert mapped in of(SWA, Insert(KEY), filled=Component.SWA)


def test_states_are_brought_by_inserts() -> None:
    insert = "insert(key(1, 2), allocator.alloc(2), state="
    assert of(STATES, Insert(KEY, state=True)) == [f"{insert}states.alloc(1))"]
    assert of(STATES, Insert(KEY, state=True), filled=Component.MAMBA) == [
        "state = states.alloc(1)",
        "content[state] = 2",
        f"{insert}state)",
    ]
    reused = of(STATES, Insert(KEY, reuse=True, state=True))[-1]
    assert reused == ("insert(key(1, 2), slots, prev_prefix_len=len(owned), state=states.alloc(1))")


def test_host_locks_are_given_back_as_such() -> None:
    assert of(SWA, HostLock("h", KEY), Unlock("h"), Lock("h", KEY), Unlock("h")) == [
        f"node_h = {MATCHED}.best_match_node",
        "receipt_h = tree.inc_host_lock_ref(node_h).to_dec_params()",
        "tree.dec_host_lock_ref(node_h, receipt_h)",
        f"node_h = {MATCHED}.last_device_node",
        "receipt_h = tree.inc_lock_ref(node_h).to_dec_params()",
        "tree.dec_lock_ref(node_h, receipt_h)",
    ]


def test_receipts_are_kept_and_given_back() -> None:
    locked = of(SWA, Lock("r-1", KEY), ReleaseWindow("r-1"), Unlock("r-1"), Unlock("r-1"))
    assert locked == [
        f"node_r_1 = {MATCHED}.last_device_node",
        "receipt_r_1 = tree.inc_lock_ref(node_r_1).to_dec_params()",
        "release_swa(node_r_1, receipt_r_1)",
        "tree.dec_lock_ref(node_r_1, receipt_r_1, skip_swa=True)",
        "tree.dec_lock_ref(node_r_1, receipt_r_1)",
    ]


def test_copies_that_have_run_and_are_not_acknowledged_are_counted() -> None:
    lines = of(SWA, RunCopies(), RunCopies(2), WritingCheck(), RunCopies())
    assert [line for line in lines if line.startswith("for")] == [
        f"for copy in {QUEUE}[:1]:",
        f"for copy in {QUEUE}[:3]:",
        f"for copy in {QUEUE}[:1]:",
    ]


def test_a_reset_empties_the_pools_and_limits_those_of_the_host_anew() -> None:
    assert of(SWA, Reset())[1:] == [
        "tree.reset()",
        "allocator.clear()",
        'sizes = {"kv": 16, "swa": 16}',
        "for entry in tree.host_pool_group.entries:  # SGLang wants more than that",
        "    entry.host_pool.alloc(entry.host_pool.size - sizes[entry.name.value])",
    ]


def test_what_a_reset_forgets_runs_before_the_next_copies() -> None:
    reset, run, again = (RunCopies(), RunCopies(load=True), RunCopies(load=True))
    written = Statements(SWA, None, limited=False, held=False)
    assert written.of(reset)[0].startswith("for copy in tree.cache_controller")
    assert written.of(Reset())[0].startswith("under_way = [*tree.cache_controller.ack_write_queue")
    assert written.of(run)[0] == "for copy in under_way:"
    assert written.of(again)[0].startswith("for copy in tree.cache_controller")


def test_a_reset_frees_states() -> None:
    assert of(STATES, Reset())[2:4] == ["allocator.clear()", "states.clear()"]

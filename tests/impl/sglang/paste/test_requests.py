"""What a request does, as the calls that were made for it."""

from __future__ import annotations

from radixproof.impl.carrying import Carriage, Did, Moment
from radixproof.impl.sglang.paste.requests import Call, Requests
from radixproof.impl.system import Lookup
from radixproof.model.config import Config
from radixproof.model.key import Key

KEY = Key((1, 2, 3))
NOTHING, ONE = Lookup(0, 0, [], None), Lookup(1, 1, [4], None)
ON_HOST = Lookup(0, 2, [], None)


def of(*calls: Call) -> list[str]:
    return Requests(Config(), "allocator.alloc").of("q", calls)


def locked(found: Lookup, handle: object) -> list[Call]:
    return [Call("match", (KEY,), found), Call("lock", (None,), handle)]


def test_a_match_is_written_where_it_is_used() -> None:
    assert of(Call("match", (KEY,), ONE)) == []
    assert of(*locked(ONE, object())) == [
        "found = tree.match_prefix(MatchPrefixParams(key=key(1, 2, 3)))",
        "node_q_0 = found.last_device_node",
        "receipt_q_0 = tree.inc_lock_ref(node_q_0).to_dec_params()",
        "row_q = device_indices(found)",
    ]


def test_a_match_that_raises_is_written() -> None:
    assert of(Call("match", (KEY,), None)) == [
        "tree.match_prefix(MatchPrefixParams(key=key(1, 2, 3)))"
    ]


def test_only_what_is_on_the_host_is_loaded_back() -> None:
    assert of(Call("match", (KEY,), ONE), Call("load_back", (None, None), 0)) == []
    assert of(Call("match", (KEY,), ON_HOST), Call("load_back", (None, 2), 0)) == [
        "load_back(key(1, 2, 3), mem_quota=2)"
    ]


def test_slots_are_parts_of_the_row() -> None:
    lines = of(
        *locked(ONE, object()),
        Call("available", (0,), 8),
        Call("allocate", (3,), [6, 7, 5]),
        Call("write", ([6, 7, 5], [1, 2, 3]), None),
        Call("free_swa", ([6],), None),
        Call("insert", (KEY, [4, 6, 7], 1, 2), None),
        Call("free", ([5],), None),
        Call("free", ([6],), None),
    )
    assert lines[4:] == [
        "row_q = torch.cat([row_q, allocator.alloc(3)])",
        "allocator.free_swa(row_q[1:2])",
        "insert(key(1, 2, 3), row_q[:3], prev_prefix_len=1, evicted=2)",
        "allocator.free(row_q[3:])",
        "free(row_q[1:2])",
    ]


def test_a_request_goes_on_with_the_slots_of_the_tree() -> None:
    first, second = object(), object()
    lines = of(
        *locked(NOTHING, first),
        Call("allocate", (2,), [6, 7]),
        *locked(ONE, second),
        Call("unlock", (first,), None),
        Call("insert", (KEY, [4, 7], 1, 0), None),
        Call("release_window", (second,), None),
        Call("unlock", (second,), None),
    )
    assert lines[8:] == [
        "row_q = torch.cat([device_indices(found), row_q[1:]])",
        "tree.dec_lock_ref(node_q_0, receipt_q_0)",
        "insert(key(1, 2, 3), row_q, prev_prefix_len=1)",
        "release_swa(node_q_1, receipt_q_1)",
        "tree.dec_lock_ref(node_q_1, receipt_q_1, skip_swa=True)",
    ]


def test_a_request_has_a_state_and_inserts_another() -> None:
    lines = of(
        Call("match", (KEY,), ONE),
        Call("copy_state", (None,), 3),
        *locked(ONE, object()),
        Call("allocate_state", (), 5),
        Call("write_state", (5, 1), None),
        Call("insert", (KEY, [4], 0, 0, 5), None),
        Call("free_state", (5,), None),
        Call("free_state", (3,), None),
    )
    assert [line for line in lines if "state" in line] == [
        "state_q = first_state(key(1, 2, 3))",
        "new_state_q = states.alloc(1)",
        "insert(key(1, 2, 3), row_q, state=new_state_q)",
        "states.free(state_q)",
    ]


def test_a_state_that_cannot_be_had_has_no_name() -> None:
    assert of(Call("match", (KEY,), ONE), Call("copy_state", (None,), None)) == [
        "first_state(key(1, 2, 3))"
    ]
    assert of(Call("evict", (0, 0, 1), None), Call("allocate_state", (), None)) == [
        "tree.evict(EvictParams(num_tokens=0, mamba_num=1))"
    ]


def test_room_is_made_and_may_not_be_found() -> None:
    assert of(Call("evict", (2, 1, 0), (2, 1, 0)), Call("allocate", (2,), None)) == [
        "tree.evict(EvictParams(num_tokens=2, swa_num_tokens=1))"
    ]


def test_room_is_made_by_sglang_where_something_was_lacking() -> None:
    moment = Moment(Did.EVICT, ((), (), ()))
    assert of(Call("make_room", (None, 3), Carriage([]))) == []
    for made in (Carriage([moment]), None):
        assert of(Call("make_room", (None, 3), made)) == ["common.evict_from_tree_cache(tree, 3)"]

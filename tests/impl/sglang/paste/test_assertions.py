"""What pasted tests assert."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from radixproof.impl.observation import ROOT, NodeView, SlotsPerPool
from radixproof.impl.operations import (
    Arrive,
    Evict,
    EvictHost,
    History,
    HostInsert,
    Insert,
    LoadBack,
    LoadingCheck,
    Operation,
    RunCopies,
)
from radixproof.impl.sglang.names import PYTHON, RUST
from radixproof.impl.sglang.paste.assertions import assertion
from radixproof.impl.sglang.paste.shown import Assertion, Found, Seen, Unwritable
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness

SWA = Config(window=1, swa_pages=8, swa_host_pages=16)
FULL = Config(device_pages=3)
STATES = Config(mamba_states=2, mamba_host_states=2)
BIGRAM = Config(window=1, swa_pages=8, swa_host_pages=16, bigram=True)
KEY = Key((1, 2))
FIND = "find([1, 2], tree.root_node)"
ABOVE: SlotsPerPool = ((5,), None, None, None, None, None)
BELOW: SlotsPerPool = ((6, 7), None, None, None, None, None)
TREE = (NodeView(1, ROOT, "", (1,), ABOVE), NodeView(2, 1, "", (2, 3), BELOW))
SEEN = Seen(TREE, TREE)


def of(
    config: Config,
    witness: Witness | None = None,
    violates: Property = Property.PIN,
    rule: str = "rule",
    seen: Seen = SEEN,
) -> Assertion:
    history = History(config, (Evict(1),))
    return assertion(
        history, Breach(violates, rule, "text", witness), seen, PYTHON, with_core=False
    )


def at(last: Operation, breach: Breach, needed: int | None = None) -> Assertion:
    """Of a breach at an operation, with either core."""
    history = History(STATES, (Insert(KEY, state=True), last))
    return assertion(history, breach, Seen(), None, with_core=True, needed=needed)


@pytest.mark.parametrize(
    ("witness", "lines"),
    [
        (
            Witness(KEY, Pool.SWA, held=True),
            [
                f"node = {FIND}",
                "held = node is not None and "
                "node.component_data[ComponentType.SWA].value is not None",
                'assert held, "[1 2] should be in the SWA pool on the device and is not"',
            ],
        ),
        (
            Witness(KEY, Pool.FULL_HOST, held=False),
            [
                f"node = {FIND}",
                "assert node is None or "
                "node.component_data[ComponentType.FULL].host_value is None, "
                '"[1 2] is in the FULL pool on the host and should not be"',
            ],
        ),
        (
            Witness(KEY, Pool.SWA, locks=1),
            [
                f"locks = {FIND}.component_data[ComponentType.SWA].lock_ref",
                'assert locks == 1, f"[1 2] has {locks} SWA locks and should have 1"',
            ],
        ),
        (
            Witness(KEY, Pool.FULL, leaf=True),
            [
                'leaves = getattr(tree, "tree_core", tree).evictable_device_leaves',
                f'assert {FIND} in leaves, "[1 2] is not in the set of evictable device leaves"',
            ],
        ),
        (
            Witness(KEY, Pool.FULL_HOST, leaf=False),
            [
                'leaves = getattr(tree, "tree_core", tree).evictable_host_leaves',
                f'assert {FIND} not in leaves, "[1 2] is in the set of evictable host leaves"',
            ],
        ),
    ],
)
def test_what_holds_of_a_node(witness: Witness, lines: list[str]) -> None:
    assert of(SWA, witness) == Assertion(after=lines)


def test_prefixes_are_found_as_the_tree_sees_them() -> None:
    lines = of(BIGRAM, Witness(Key((1, 2, 3), "a"), Pool.SWA, locks=0)).after
    assert lines[0].startswith('locks = find([(1, 2), (2, 3)], tree.root_node, "a").')


def test_where_there_is_full_alone_a_match_shows_what_is_held() -> None:
    found = "found = tree.match_prefix(MatchPrefixParams(key=key(1, 2)))"
    assert of(FULL, Witness(KEY, Pool.FULL, held=True)).after == [
        found,
        "tokens = len(device_indices(found))",
        'assert tokens == 2, f"of [1 2] {tokens} tokens are on the device, and 2 should be"',
    ]
    assert of(FULL, Witness(KEY, Pool.FULL_HOST, held=True), seen=Seen()).after == [
        found,
        "tokens = len(device_indices(found)) + found.host_hit_length",
        'assert tokens == 2, f"of [1 2] {tokens} tokens are in the cache, and 2 should be"',
    ]


def test_but_not_that_something_is_on_the_host_as_well() -> None:
    tree = (NodeView(1, ROOT, "", (1, 2), BELOW),)
    lines = of(FULL, Witness(KEY, Pool.FULL_HOST, held=True), seen=Seen(tree, tree)).after
    assert lines[0] == f"node = {FIND}"


@pytest.mark.parametrize(("kept", "sign"), [(True, "=="), (False, "!=")])
def test_the_slots_of_a_page_are_compared_with_those_before(kept: bool, sign: str) -> None:
    whole = (NodeView(3, ROOT, "", (1, 2, 3), BELOW),)
    shown = of(SWA, Witness(KEY, Pool.FULL, kept=kept), seen=Seen(whole, TREE))
    value = f"{FIND}.component_data[ComponentType.FULL].value"
    assert shown.before == [f"before = {value}[1:2].tolist()"]
    assert shown.after[0] == f"after = {value}[0:1].tolist()"
    assert shown.after[1].startswith(f"assert after {sign} before, ")


def test_all_slots_of_a_node_are_compared_where_it_is_a_page() -> None:
    shown = of(SWA, Witness(Key((1,)), Pool.FULL, kept=True))
    assert shown.before[0].endswith("[ComponentType.FULL].value.tolist()")


def test_what_was_not_there_cannot_be_compared() -> None:
    with pytest.raises(Unwritable, match=r"no \[9\]"):
        of(SWA, Witness(Key((9,)), Pool.FULL, kept=True))


POOLS = "pools = {entry.name.value: entry.host_pool for entry in tree.host_pool_group.entries}"


def test_the_content_of_a_state_is_that_of_its_end() -> None:
    shown = of(STATES, Witness(KEY, Pool.MAMBA, content=True))
    assert shown.filled is Component.MAMBA
    assert shown.after[:2] == [
        f"slots = {FIND}.component_data[ComponentType.MAMBA].value",
        "held = content[slots, 0, 0, 0]",
    ]
    on_host = of(STATES, Witness(KEY, Pool.MAMBA_HOST, content=True)).after
    assert on_host[3] == 'held = pools["mamba"].temporal_buffer[slots, 0, 0, 0, 0, 0]'


def test_a_request_begins_with_the_state_of_its_prefix() -> None:
    shown = at(Arrive("q", KEY), Breach(Property.CONTENT, "mamba", "text"))
    assert shown.filled is Component.MAMBA
    assert shown.after[1:3] == [
        "last = [1, 2][:reached][-1:]",
        "held = content[state_q].unique().tolist()",
    ]


def test_a_target_of_a_copy_stays_taken() -> None:
    held = Witness(KEY, Pool.MAMBA_HOST, held=True)
    freed = Breach(Property.PIN, "host-target-freed", "text", held)
    free = 'pools["mamba"].available_size()'
    shown = at(EvictHost(1, Component.SWA), freed)
    assert shown.before == [POOLS, f"free = {free}"]
    assert shown.after[0].startswith(f"assert {free} == free, ")


def test_a_load_back_leaves_nothing_on_the_host_alone() -> None:
    shown = at(LoadBack(KEY), Breach(Property.PROGRESS, "load-refused", "text"))
    assert shown.after[0].endswith(".host_hit_length")
    assert shown.after[1].startswith("assert rest == 0, ")


def test_room_is_asked_for_as_far_as_it_lacks() -> None:
    breach = Breach(Property.PROGRESS, "more-room-than-lacking", "text")
    shown = at(Evict(1), breach, needed=3)
    assert shown.before[-1] == "tree.evict = evict_noted"
    assert shown.after[1].startswith("    assert tokens + free <= 3, ")
    assert at(Evict(1), breach).after == ["tree.sanity_check()"]


@pytest.mark.parametrize(
    ("pool", "free"), [(Pool.FULL, "allocator"), (Pool.MAMBA, "states")], ids=str
)
def test_an_eviction_frees_what_counts_as_evictable(pool: Pool, free: str) -> None:
    left = Breach(Property.PROGRESS, "stopped-early", "text", Witness(KEY, pool, held=False))
    shown = at(Evict(2, mamba=2), left)
    sizes = f"{free}.available_size(), tree.{pool.name.lower()}_evictable_size()"
    assert shown.before == [f"free, evictable = {sizes}"]
    assert shown.after[1].startswith("assert freed >= min(2, evictable), ")


def test_content_is_read_from_the_pool() -> None:
    shown = of(SWA, Witness(KEY, Pool.SWA_HOST, content=True))
    assert shown.filled is Component.SWA
    assert shown.after == [
        POOLS,
        "# On a GPU, a copy that was not waited for may have come by now.",
        f"slots = {FIND}.component_data[ComponentType.SWA].host_value[0:1]",
        'held = pools["swa"].kv_buffer[0, slots // 1, 0, slots % 1, 0, 0]',
        'assert held.tolist() == [2.0], "the slots of [1 2] do not hold what was computed for it"',
    ]
    on_device = of(SWA, Witness(KEY, Pool.FULL, content=True)).after
    assert on_device[1] == "held = content[slots, 0, 0]"


# -- cores that do not show their nodes ------------------------------------------------------------


def returned(
    witness: Witness, before: Found | None = None, after: Found | None = None
) -> Assertion:
    history = History(SWA, (Evict(1),))
    breach = Breach(Property.PROGRESS, "rule", "text", witness)
    return assertion(history, breach, Seen((), (), before, after), RUST, with_core=True)


@pytest.mark.parametrize(
    ("pool", "before", "after", "tokens"),
    [
        (Pool.SWA, Found(2, 2), Found(0, 2), "tokens = len(device_indices(found))"),
        (
            Pool.SWA_HOST,
            Found(0, 2),
            Found(0, 1),
            "tokens = len(device_indices(found)) + found.host_hit_length",
        ),
    ],
)
def test_what_is_lost_shows_in_a_match(
    pool: Pool, before: Found, after: Found, tokens: str
) -> None:
    lines = returned(Witness(KEY, pool, held=True), before, after).after
    assert lines[1] == tokens
    assert lines[2].startswith("assert tokens == 2, ")


def test_slots_are_those_of_a_match() -> None:
    slots = "device_indices(tree.match_prefix(MatchPrefixParams(key=key(1, 2))))[-1:]"
    kept = returned(Witness(KEY, Pool.FULL, kept=True), Found(2, 2), Found(2, 2))
    assert kept.before == [f"before = {slots}.tolist()"]
    assert kept.after[0] == f"after = {slots}.tolist()"
    filled = returned(Witness(KEY, Pool.SWA, content=True), None, Found(2, 2))
    assert filled.filled is Component.SWA
    assert filled.after[0] == f"slots = allocator.full_to_swa_index_mapping[{slots}]"


@pytest.mark.parametrize(
    "witness",
    [
        Witness(KEY, Pool.SWA, held=True),
        Witness(KEY, Pool.FULL_HOST, kept=True),
        Witness(KEY, Pool.SWA, locks=1),
        Witness(KEY, Pool.FULL, leaf=True),
        Witness(KEY, Pool.MAMBA, content=True),
    ],
)
def test_what_no_call_returns_is_not_written(witness: Witness) -> None:
    with pytest.raises(Unwritable, match="does not show its nodes"):
        returned(witness, Found(2, 2), Found(2, 2))
    with pytest.raises(Unwritable, match="does not show its nodes"):
        returned(Witness(KEY, Pool.FULL, kept=True), Found(0, 0), Found(2, 2))


def test_a_lock_too_few_shows_in_what_is_protected() -> None:
    slots: SlotsPerPool = ((5,), (5,), None, None, None, None)
    tree = (
        NodeView(1, ROOT, "", (1,), slots, locks=(1, 0, 0)),
        NodeView(2, 1, "", (2,), slots, locks=(1, 1, 0)),
    )
    history, witness = History(SWA, (Evict(1),)), Witness(Key((1,)), Pool.SWA, locks=1)
    wrong = Breach(Property.LOCK, "swa-too-few", "text", witness)
    shown = assertion(history, wrong, Seen(after=tree), None, with_core=True)
    assert shown.after[-1].startswith("assert held == 2, ")
    twice = replace(wrong, witness=replace(witness, prefix=KEY, locks=2))
    with pytest.raises(Unwritable, match="does not show its nodes"):
        assertion(history, twice, Seen(after=tree), None, with_core=True)


def test_what_two_namespaces_have_stored_has_two_names() -> None:
    history = History(FULL, (HostInsert(KEY), HostInsert(Key((1, 2), "a"))))
    witness = Witness(Key((1,), "a"), Pool.FULL_HOST, content=True)
    wrong = Breach(Property.CONTENT, "fetched", "text", witness)
    shown = assertion(history, wrong, Seen(), None, with_core=True)
    named = 'storage.names([1]), storage.names([1], extra_key="a")'
    assert shown.after[0] == f"one, other = {named}"
    alone = History(FULL, history.operations[1:])
    with pytest.raises(Unwritable, match="nothing else was stored"):
        assertion(alone, wrong, Seen(), None, with_core=True)


@pytest.mark.parametrize(
    ("violates", "rule", "inserted", "asserted"),
    [
        (Property.MAP, "stale", None, "assert mapped <= used, "),
        (Property.MAP, "window-not-told", None, "assert known == 8, "),
        (Property.MAP, "leaf-without-window", KEY, "assert tokens == 2, "),
        (Property.MATCH, "not-cut", KEY, "assert held == 1, "),
    ],
)
def test_windows_are_asserted_by_what_calls_return(
    violates: Property, rule: str, inserted: Key | None, asserted: str
) -> None:
    shown = of(SWA, violates=violates, rule=rule, seen=Seen(inserted=inserted))
    assert shown.after[-1].startswith(asserted)


# -- what shows elsewhere --------------------------------------------------------------------------


def test_a_crash_is_announced_and_nothing_is_asserted() -> None:
    shown = of(SWA, violates=Property.NOCRASH, rule="KeyError@Tree.evict")
    assert shown == Assertion(before=["# This raises KeyError in Tree.evict."])


def test_an_operation_that_does_not_end_is_counted() -> None:
    shown = of(FULL, violates=Property.NOCRASH, rule="Endless@Victims.take")
    assert '    assert len(victims) <= 10, "the eviction does not end"' in shown.before
    assert not shown.after


@pytest.mark.parametrize(
    ("violates", "rule", "asserted"),
    [
        (Property.QUIESCE, "protected", "assert protected == 0, "),
        (Property.OWN, "swa-lost", "assert known == 8, "),
        (Property.SIZE, "full", "tree.sanity_check()"),
    ],
)
def test_without_a_witness_the_sizes_or_sglangs_own_check_have_to_do(
    violates: Property, rule: str, asserted: str
) -> None:
    assert of(SWA, violates=violates, rule=rule).after[-1].startswith(asserted)


def test_host_slots_that_nobody_has_are_counted_in_the_nodes_of_the_python_core() -> None:
    breach = Breach(Property.OWN_H, "swa_host-lost", "text")
    history = History(SWA, (Insert(KEY),))
    shown = assertion(history, breach, Seen(), PYTHON, with_core=True)
    assert shown.before[-1] == 'before = held + pools["swa"].available_size()'
    assert shown.after[-1].startswith("assert after == before, ")
    with pytest.raises(Unwritable, match="Python core alone"):
        assertion(history, breach, Seen(), None, with_core=True)


def ranks(*operations: RunCopies | LoadingCheck) -> Assertion:
    history = History(Config(ranks=2), operations)
    return assertion(
        history, Breach(Property.RANK, "diverged", "text"), Seen(), PYTHON, with_core=True
    )


def test_one_rank_must_not_acknowledge_what_another_waits_for() -> None:
    shown = ranks(RunCopies(load=True), LoadingCheck())
    queue = "tree.cache_controller.ack_load_queue"
    assert shown.after[0].startswith(f"assert len({queue}) == waiting, ")
    assert shown.within.startswith('with patch.object(tree, "tp_world_size", 2), patch(')


@pytest.mark.parametrize(
    "operations",
    [
        [RunCopies(load=True), LoadingCheck(blocking=True)],
        [RunCopies(load=True)],
        [RunCopies(load=True), RunCopies(load=True, rank=1), LoadingCheck()],
        [RunCopies(load=True), LoadingCheck(), LoadingCheck()],
        [RunCopies(), LoadingCheck()],
    ],
)
def test_other_differences_between_ranks_are_not_written(
    operations: list[RunCopies | LoadingCheck],
) -> None:
    with pytest.raises(Unwritable, match="rank"):
        ranks(*operations)


STORED, REMOVED = (
    SimpleNamespace(block_hashes=[7], token_ids=[1], medium=SimpleNamespace(name="CPU")),
    SimpleNamespace(block_hashes=[7], medium=SimpleNamespace(name="CPU")),
)


class Announcing:
    """A tree with a host pool of which one slot more is taken whenever it is asked."""

    def __init__(self, *said: object) -> None:
        self.said = list(said)
        entry = SimpleNamespace(name=SimpleNamespace(value="kv"), host_pool=self)
        self.host_pool_group = SimpleNamespace(entries=[entry])
        self.free = 8

    def take_events(self) -> list[object]:
        return self.said

    def available_size(self) -> int:
        self.free -= 1
        return self.free


def announced(rule: str, config: Config, *operations: Operation) -> list[str]:
    history = History(config, (*operations, Evict(1)) if config.write_back else operations)
    shown = assertion(history, Breach(Property.EVENT, rule, "text"), Seen(), None, with_core=True)
    assert shown.announced
    return shown.before + shown.after


@pytest.mark.parametrize(
    ("rule", "config", "right", "wrong", "text"),
    [
        ("stored-twice", FULL, [STORED], [STORED, STORED], "is stored, but it is there already"),
        ("removed-unknown", FULL, [STORED, REMOVED], [REMOVED], "is removed, but it is not stored"),
        (
            *("block-ambiguous", FULL, [STORED, SimpleNamespace(), STORED], [STORED, STORED]),
            "is stored, but it is there already",
        ),
        (
            *("stored-absent", Config(write_back=True), [STORED], [STORED, STORED]),
            "2 tokens are announced on the host, where 1 have come",
        ),
    ],
)
def test_what_routers_hear_is_asserted(
    rule: str, config: Config, right: list[object], wrong: list[object], text: str
) -> None:
    lines = "\n".join(announced(rule, config, Insert(KEY)))
    exec(lines, {"tree": Announcing(*right)})
    with pytest.raises(AssertionError, match=text):
        exec(lines, {"tree": Announcing(*wrong)})


@pytest.mark.parametrize(
    ("rule", "config", "last"),
    [
        ("stored-missing", FULL, Insert(KEY)),
        ("removed-missing", FULL, Evict(1)),
        ("block-ambiguous", FULL, Evict(1)),
        ("stored-absent", FULL, Evict(1)),
        ("stored-absent", Config(write_back=True), Insert(KEY)),
    ],
)
def test_what_they_would_have_to_compare_with_the_nodes_is_not_written(
    rule: str, config: Config, last: Operation
) -> None:
    history = History(config, (Insert(KEY), last))
    with pytest.raises(Unwritable, match="routers"):
        assertion(history, Breach(Property.EVENT, rule, "text"), Seen(), None, with_core=True)


def test_what_the_own_check_finds_is_asserted_by_it() -> None:
    asserted = of(SWA, violates=Property.NOCRASH, rule="self-check-swa-host-lru")
    assert "    tree.sanity_check()" in asserted.after

"""SGLang's released code as a `System`, one release after the other.

A process can import one release only, so this file is also a program: ``python FILE VERSION`` runs all scenarios on that release
and prints a JSON object from each scenario's name to what it raised. The tests run it once per release and look at their part.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import traceback
from typing import Any

import pytest

from radixproof.impl.observation import NodeView, Observation
from radixproof.impl.operations import HostLock, ReleaseWindow
from radixproof.impl.sglang import store
from radixproof.impl.sglang.adapter import target
from radixproof.impl.sglang.victims import Endless
from radixproof.impl.system import System, Target, Unavailable
from radixproof.model.config import HOST, Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key

OLD = "0.5.12.post1"
RELEASES = (OLD, "0.5.13.post1", "0.5.14", "0.5.15.post1", "0.5.16", "0.5.17", "0.5.18", "0.5.19")
FULL_ONLY = Config(page_size=2, device_pages=8, host_pages=16)
SWA = Config(page_size=1, window=1, device_pages=8, swa_pages=8, host_pages=16, swa_host_pages=16)
HOSTLESS = Config(page_size=2, window=2, device_pages=8, swa_pages=8, host_pages=0)
SWA_PAGED = Config(
    page_size=4, window=6, device_pages=6, swa_pages=5, host_pages=12, swa_host_pages=12
)


def equal(actual: Any, expected: Any) -> None:
    assert actual == expected, f"{actual!r} is not {expected!r}"


def put(
    system: System,
    tokens: tuple[int, ...],
    namespace: str = "",
    evicted: int = 0,
    priority: int = 0,
) -> list[int]:
    """Insert a prompt of which nothing is reused; the tag of position i is 100 * i + its token. Returns the slots it brought."""
    slots = system.allocate(len(tokens))
    assert slots is not None, "no room"
    system.write(slots, tags(tokens))
    system.free_swa(slots[:evicted])
    system.insert(Key(tokens, namespace), slots, 0, evicted, priority=priority)
    return slots


def tags(tokens: tuple[int, ...]) -> list[int]:
    return [100 * position + token for position, token in enumerate(tokens)]


def settle(system: System) -> None:
    system.run_copies(99)
    system.writing_check(False)


def only(observation: Observation) -> NodeView:
    (node,) = observation.nodes
    return node


def scenario_seed_bug(release: Target) -> None:
    """A leaf split by its own insert must be backed up whole; 0.5.12 backs up none of it, and eviction then loses the prompt."""
    system = release.build(SWA)
    put(system, (1, 2), evicted=1)
    settle(system)
    equal(system.evict(2, 0, 0)[0], 2)
    found = system.match(Key((1, 2)))
    equal(found.device, 0)
    equal(found.best, 0 if release.name == "sglang==0.5.12.post1" else 2)


def scenario_prompt_comes_back(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = release.build(config)
        tokens = tuple(range(1, 1 + 2 * config.page_size))
        slots = put(system, tokens)
        found = system.match(Key(tokens))
        equal((found.device, found.best, found.slots), (len(tokens), len(tokens), slots))
        equal(system.read(Pool.FULL, found.slots), tags(tokens))
        if config.window is not None:
            equal(system.read(Pool.SWA, system.swa_of(slots)), tags(tokens))


def scenario_duplicates_are_freed_but_not_the_protected_prefix(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = release.build(config)
        page = config.page_size
        tokens = tuple(range(1, 1 + 2 * page))
        first = put(system, tokens)
        free = system.observe(True).free
        put(system, tokens)
        equal(system.observe(True).free, free)
        mine = system.allocate(page)
        assert mine is not None
        equal(system.insert(Key(tokens), [*first[:page], *mine], page, 0).reused, 2 * page)
        equal(system.observe(True).free, free)
        equal(system.match(Key(tokens)).slots, first)


def scenario_content_survives_demotion(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = release.build(config)
        tokens = tuple(range(1, 1 + config.page_size))
        put(system, tokens)
        settle(system)
        equal(system.evict(config.page_size, 0, 0)[0], config.page_size)
        node = only(system.observe(True))
        equal(
            (node.slots[Pool.FULL], node.slots[Pool.SWA], node.locks, node.pending),
            (None, None, (0, 0, 0), False),
        )
        for pool in (HOST[component] for component in config.components):
            held = node.slots[pool]
            assert held is not None
            equal(system.read(pool, held), tags(tokens))
        found = system.match(Key(tokens))
        equal((found.device, found.best, found.slots), (0, config.page_size, []))


def scenario_copies_wait_to_be_told(release: Target) -> None:
    system = release.build(SWA)
    slots = put(system, (1,))
    put(system, (2,))
    node = system.observe(True).nodes[0]
    equal((node.pending, node.locks), (True, (1, 1, 0)))
    equal(system.read(Pool.FULL_HOST, node.slots[Pool.FULL_HOST] or ()), [-1])
    equal(system.writing_check(False), 0)
    equal(system.evict(99, 99, 0), (0, 0, 0))
    system.write(slots, [77])  # a copy that runs late copies what is there then
    equal(system.run_copies(1), 1)
    equal(system.read(Pool.FULL_HOST, node.slots[Pool.FULL_HOST] or ()), [77])
    equal([view.pending for view in system.observe(True).nodes], [True, True])
    equal(system.writing_check(False), 1)
    equal([view.pending for view in system.observe(True).nodes], [False, True])
    equal(system.writing_check(True), 1)
    equal([view.pending for view in system.observe(True).nodes], [False, False])
    equal(system.run_copies(9), 0)


def scenario_systems_share_nothing(release: Target) -> None:
    one, other = release.build(SWA), release.build(SWA)
    put(one, (1,))
    equal(other.run_copies(9), 0)
    put(other, (2,))
    equal(other.run_copies(9), 1)
    equal(other.writing_check(False), 1)
    equal(one.writing_check(False), 0)
    equal(one.match(Key((2,))).best, 0)
    equal(one.run_copies(9), 1)
    one.close()
    equal(release.build(SWA).run_copies(9), 0)


def scenario_matches_split_at_pages_and_namespaces_part(release: Target) -> None:
    system = release.build(SWA_PAGED)
    tokens = tuple(range(1, 13))
    put(system, tokens)
    equal(system.match(Key((*tokens[:6], 99))).device, 4)
    equal(system.observe(True).nodes[0].segment, tokens[:4])
    equal(system.match(Key(tokens[:3])).device, 0)
    equal(system.match(Key(tokens, "tenant")).device, 0)
    put(system, tokens[:4], "tenant")
    equal(system.match(Key(tokens, "tenant")).device, 4)
    equal({view.namespace for view in system.observe(True).nodes}, {"", "tenant"})


def scenario_locks_protect(release: Target) -> None:
    system = release.build(SWA)
    put(system, (1, 2))
    settle(system)
    receipt = system.lock(system.match(Key((1, 2))).anchor)
    seen = system.observe(True)
    equal((seen.evictable[Component.FULL], seen.protected[Component.FULL]), (0, 2))
    equal(
        seen.protected[Component.SWA], 1 if len(seen.nodes) == 2 else 2
    )  # newer releases cut a leaf to one window
    equal(system.evict(2, 0, 0), (0, 0, 0))
    system.unlock(receipt)
    equal(system.observe(True).protected, (0, 0, 0))
    equal(system.evict(2, 0, 0), (2, 2, 0))


def scenario_pools_have_the_size_asked_for(release: Target) -> None:
    small_host = Config(
        page_size=4, window=3, device_pages=5, swa_pages=3, host_pages=2, swa_host_pages=1
    )
    for config in (FULL_ONLY, SWA, SWA_PAGED, small_host, HOSTLESS):
        system = release.build(config)
        sizes = tuple(config.slots(pool) for pool in Pool)
        page = config.page_size

        def check_empty(system: System = system, sizes: tuple[int, ...] = sizes) -> None:
            seen = system.observe(True)
            assert seen.whole is not None
            equal(seen.free, sizes)
            equal(tuple(map(len, seen.whole.free)), sizes)
            assert 0 not in seen.whole.free[Pool.FULL] + seen.whole.free[Pool.SWA]
            equal((seen.nodes, seen.evictable, seen.whole.swa_of), ((), (0, 0, 0), {}))

        check_empty()
        rounds = []
        while (slots := system.allocate(page)) is not None:
            rounds.append(slots)
        equal(len(rounds), min(config.pages(pool) for pool in config.pools if not pool.on_host))
        full, swa = system.observe(True).free[:2]
        equal(
            (full, swa),
            (sizes[0] - page * len(rounds), sizes[1] - page * len(rounds) if config.window else 0),
        )
        for slots in rounds:
            system.free(slots)
        check_empty()
        put(system, tuple(range(page)))
        system.writing_check(True)
        system.reset()
        check_empty()


def scenario_swa_slots_go_alone(release: Target) -> None:
    system = release.build(SWA_PAGED)
    slots = system.allocate(8)
    assert slots is not None
    peers = system.swa_of(slots)
    assert 0 not in peers
    system.free_swa(slots[:4])
    equal(system.swa_of(slots), [0, 0, 0, 0, *peers[4:]])
    seen = system.observe(True)
    assert seen.whole is not None
    equal(seen.whole.swa_of, dict(zip(slots[4:], peers[4:], strict=True)))
    equal(seen.free[:2], (16, 16))
    system.free(slots)
    equal(system.observe(True).free[:2], (24, 20))


def scenario_hosts_fill_and_are_emptied(release: Target) -> None:
    system = release.build(Config(page_size=1, device_pages=4, host_pages=1))
    put(system, (1,))
    settle(system)
    put(system, (2,))
    settle(system)
    equal(system.observe(True).free[Pool.FULL_HOST], 0)
    equal(
        [view.slots[Pool.FULL_HOST] is not None for view in system.observe(True).nodes],
        [True, False],
    )
    equal(system.evict_host(1, Component.FULL), 0)  # its node is still on the device
    equal(system.evict(2, 0, 0)[0], 2)
    equal((system.match(Key((1,))).best, system.match(Key((2,))).best), (1, 0))
    equal(system.evict_host(1, Component.FULL), 1)
    equal(system.observe(True).free[Pool.FULL_HOST], 1)
    equal(system.observe(True).nodes, ())


def to_host(system: System, tokens: tuple[int, ...]) -> None:
    """Insert a prompt and demote it."""
    put(system, tokens)
    settle(system)
    system.evict(len(tokens), 0, 0)


def scenario_what_was_demoted_is_loaded_back(release: Target) -> None:
    for config in (FULL_ONLY, SWA, SWA_PAGED):
        system = release.build(config)
        tokens = tuple(range(1, 1 + 2 * config.page_size))
        to_host(system, tokens)
        found = system.match(Key(tokens))
        equal((found.device, found.best), (0, len(tokens)))
        equal(system.load_back(found.best_anchor, None), len(tokens))
        seen = system.observe(True)
        equal(seen.evictable[Component.FULL], 0)
        slots = system.match(Key(tokens)).slots
        if config.page_size == 1:
            equal(system.read(Pool.FULL, slots), [-1, -1])  # published before the copy has run
        equal((system.copied(load=True), system.loading_check(False)), (0, 0))
        equal(
            (
                system.run_copies(9, load=True),
                system.copied(load=True),
                system.loading_check(False),
            ),
            (1, 1, 1),
        )
        equal(system.read(Pool.FULL, slots), tags(tokens))
        if config.window is not None:
            equal(system.read(Pool.SWA, system.swa_of(slots[-1:])), tags(tokens)[-1:])
        seen = system.observe(True)
        equal(seen.protected, (0, 0, 0))
        equal(system.load_back(system.match(Key(tokens)).best_anchor, None), 0)


def scenario_loads_are_refused_below_the_threshold_and_above_the_quota(release: Target) -> None:
    system = release.build(Config(page_size=2, device_pages=8, host_pages=16, load_threshold=4))
    to_host(system, (1, 2))
    to_host(system, (3, 4, 5, 6))
    equal(system.load_back(system.match(Key((1, 2))).best_anchor, None), 0)
    equal(system.load_back(system.match(Key((3, 4, 5, 6))).best_anchor, 3), 0)
    equal(system.load_back(system.match(Key((3, 4, 5, 6))).best_anchor, 4), 4)


def scenario_many_loads_wait_in_order(release: Target) -> None:
    system = release.build(FULL_ONLY)
    keys = [(start, start + 1) for start in range(0, 12, 2)]
    for tokens in keys:
        to_host(system, tokens)
    for tokens in keys:
        equal(system.load_back(system.match(Key(tokens)).best_anchor, None), 2)
    equal(system.run_copies(4, load=True), 4)
    equal(system.loading_check(False), 4)
    equal(system.loading_check(True), 2)


def scenario_ranks_agree_on_what_to_acknowledge(release: Target) -> None:
    """A poll acknowledges what all ranks can. 0.5.12 does not ask the others about load-backs."""
    system = release.build(FULL_ONLY)
    for tokens in ((1, 2), (3, 4), (5, 6)):
        put(system, tokens)
    system.run_copies(3)
    equal([system.writing_check(False, limit) for limit in (0, 1, None)], [0, 1, 2])
    system.evict(6, 0, 0)
    for tokens in ((1, 2), (3, 4)):
        system.load_back(system.match(Key(tokens)).best_anchor, None)
    system.run_copies(2, load=True)
    equal(
        [system.loading_check(False, 1), system.loading_check(False)],
        [2, 0] if OLD in release.name else [1, 1],
    )


def scenario_host_hits_are_told_per_component(release: Target) -> None:
    system = release.build(FULL_ONLY)
    put(system, (1, 2))
    put(system, (1, 2, 3, 4))
    settle(system)
    system.evict(2, 0, 0)
    equal(system.match(Key((1, 2, 3, 4))).host, None if OLD in release.name else (2, 0, 0))


def scenario_host_locks_keep_host_copies(release: Target) -> None:
    system = release.build(SWA)
    to_host(system, (1,))
    if HostLock not in release.scope.operations:
        equal(only(system.observe(True)).host_locks, None)
        return
    receipt = system.lock_host(system.match(Key((1,))).best_anchor)
    equal(only(system.observe(True)).host_locks, (1, 1, 0))
    equal(system.evict_host(1, Component.FULL), 0)
    system.unlock_host(receipt)
    equal(only(system.observe(True)).host_locks, (0, 0, 0))
    equal(system.evict_host(1, Component.FULL), 1)


def scenario_windows_are_released_early(release: Target) -> None:
    if ReleaseWindow not in release.scope.operations:
        return
    system = release.build(SWA)
    put(system, (1, 2))
    settle(system)
    receipt = system.lock(system.match(Key((1, 2))).anchor)
    system.release_window(receipt)
    equal(system.observe(True).protected, (2, 0, 0))
    system.unlock(receipt)
    equal(system.observe(True).protected, (0, 0, 0))


def scenario_orders_of_eviction(release: Target) -> None:
    expected = {
        EvictionPolicy.LRU: (2, 3, 1),
        EvictionPolicy.LFU: (1, 3, 2),
        EvictionPolicy.FIFO: (1, 2, 3),
        EvictionPolicy.MRU: (1, 3, 2),
        EvictionPolicy.FILO: (3, 2, 1),
        EvictionPolicy.PRIORITY: (2, 3, 1),
        EvictionPolicy.SLRU: (1, 2, 3),
    }
    for order in release.scope.eviction_policies:
        system = release.build(Config(device_pages=8, host_pages=0, eviction_policy=order))
        for token, priority in ((1, 2), (2, 0), (3, 1), (2, 0), (2, 0), (3, 1)):
            put(system, (token,), priority=priority)
        system.match(Key((1,)))
        gone = []
        for _ in range(3):
            before = {view.segment[0] for view in system.observe(True).nodes}
            system.evict(1, 0, 0)
            (token,) = before - {view.segment[0] for view in system.observe(True).nodes}
            gone.append(token)
        equal((order, tuple(gone)), (order, expected[order]))


def scenario_without_a_host_tier_evicted_is_gone(release: Target) -> None:
    system = release.build(HOSTLESS)
    put(system, (1, 2, 3, 4))
    found = system.match(Key((1, 2, 3, 4)))
    equal((found.device, found.best, system.load_back(found.best_anchor, None)), (4, 4, 0))
    equal((system.run_copies(9), system.writing_check(True), system.loading_check(True)), (0, 0, 0))
    equal(system.evict(4, 0, 0)[0], 4)
    seen = system.observe(True)
    equal((seen.nodes, seen.free), ((), (16, 16, 0, 0, 0, 0)))


def scenario_write_back_copies_at_eviction(release: Target) -> None:
    """0.5.12 gives the slots back before the copies have run, and then cannot acknowledge them."""
    system = release.build(Config(page_size=1, device_pages=4, host_pages=8, write_back=True))
    put(system, (1, 2))
    put(system, (1, 2))
    equal((system.run_copies(9), only(system.observe(True)).slots[Pool.FULL_HOST]), (0, None))
    equal(system.evict(1, 0, 0)[0], 2)
    node = only(system.observe(True))
    held = node.slots[Pool.FULL_HOST]
    assert held is not None
    if OLD in release.name:
        equal((node.pending, system.read(Pool.FULL_HOST, held)), (True, [-1, -1]))
        system.run_copies(1)
        with pytest.raises(AssertionError):
            system.writing_check(False)
    else:
        equal((node.pending, system.read(Pool.FULL_HOST, held)), (False, [1, 102]))


def scenario_an_eviction_that_does_not_end_raises(release: Target) -> None:
    """Where the host has no room for a leaf under write_back, an SWA eviction tries that leaf again and again; till 0.5.16."""
    config = Config(
        device_pages=6, window=2, swa_pages=6, host_pages=4, swa_host_pages=1, write_back=True
    )
    system = release.build(config)
    put(system, (1, 2))
    equal(system.evict(0, 0, 0), (0, 0, 0))
    if release.dialect.failed_backup_deletes:
        equal(system.evict(0, 1, 0), (2, 2, 0))
        return
    with pytest.raises(AssertionError if OLD in release.name else Endless):
        system.evict(0, 1, 0)


def scenario_bigram_keys_are_seen_as_pairs(release: Target) -> None:
    system = release.build(Config(page_size=2, device_pages=8, host_pages=8, bigram=True))
    slots = system.allocate(4)
    assert slots is not None
    system.insert(Key((1, 2, 3, 4, 5)), slots, 0, 0)
    equal(only(system.observe(True)).segment, ((1, 2), (2, 3), (3, 4), (4, 5)))
    found = system.match(Key((1, 2, 3, 9, 9)))
    equal((found.device, found.best, found.slots), (2, 2, slots[:2]))


def scenario_threshold_counts_hits(release: Target) -> None:
    system = release.build(Config(page_size=1, device_pages=4, host_pages=8, threshold=2))
    put(system, (1,))
    equal(only(system.observe(True)).pending, False)
    put(system, (1,))
    equal(only(system.observe(True)).pending, True)


def scenario_damage_is_seen(release: Target) -> None:
    system: Any = release.build(SWA)
    slots = put(system, (1, 2, 3))
    settle(system)
    parts = system._parts
    parts.device_pools[Component.FULL].v_buffer[1][slots[0], 0, 1] += 1
    parts.device_pools[Component.FULL].k_buffer[0][slots[2]] = parts.device_pools[
        Component.FULL
    ].k_buffer[0][slots[1]]
    equal(system.read(Pool.FULL, slots), [-1, 102, -1])
    equal(system.read(Pool.SWA, system.swa_of(slots)), [1, 102, 203])
    parts.host_pools[Component.SWA].kv_buffer[1, :, 1] = 0
    held = [slot for view in system.observe(True).nodes for slot in view.slots[Pool.SWA_HOST] or ()]
    equal(system.read(Pool.SWA_HOST, held), [-1] * 3)


def scenario_observations_repeat(release: Target) -> None:
    """Equal histories give equal observations, whatever ran in the process before; ids are not given again."""

    def history() -> list[Observation]:
        system = release.build(SWA)
        seen = []
        for tokens, evicted in (((1, 2, 3), 0), ((1, 2, 4), 1), ((5,), 0)):
            put(system, tokens, evicted=evicted)
            seen.append(system.observe(True))
        settle(system)
        system.evict(2, 1, 0)
        seen.append(system.observe(True))
        system.reset()
        put(system, (1, 2))
        return [*seen, system.observe(True)]

    first = history()
    equal(history(), first)
    before = {view.id for seen in first[:-1] for view in seen.nodes}
    after = {view.id for view in first[-1].nodes}
    assert after, "nothing was observed"
    equal(before & after, set())
    for seen in first:
        above = {0}
        for view in seen.nodes:
            assert view.parent in above, "a child stands before its parent"
            above.add(view.id)


def scenario_lists_and_leaves(release: Target) -> None:
    system = release.build(SWA)
    for token in (1, 2, 3):
        put(system, (token,))
    settle(system)
    by_token = {view.segment: view.id for view in system.observe(True).nodes}
    system.match(Key((1,)))
    whole = system.observe(True).whole
    assert whole is not None
    equal(whole.lru_lists, (tuple(by_token[(token,)] for token in (2, 3, 1)), (), (), ()))
    equal(whole.device_leaves, frozenset(by_token.values()))
    system.evict(1, 0, 0)
    whole = system.observe(True).whole
    assert whole is not None
    assert whole.host_leaves is not None
    equal(len(whole.host_leaves), 1)
    equal(whole.lru_lists[2], tuple(whole.host_leaves))
    equal(frozenset(whole.lru_lists[0] or ()) & whole.host_leaves, frozenset())


def scenario_one_release_per_process(release: Target) -> None:
    release.build(SWA)
    other = next(version for version in RELEASES if f"sglang=={version}" != release.name)
    with pytest.raises(Unavailable, match=r"is not prepared|another process"):
        target(other).build(SWA)


def scenario_stand_ins_are_gone(release: Target) -> None:
    release.build(SWA)
    left = [
        name
        for name, module in sys.modules.items()
        if type(module).__name__ == "_AnyModule" and not name.startswith("sglang")
    ]
    equal(left, [])


SCENARIOS = {
    name: function for name, function in list(globals().items()) if name.startswith("scenario_")
}


@functools.cache
def outcomes(version: str) -> dict[str, str | None]:
    """What each scenario raised on a release. Skips where the release is not prepared; SGLang must not say anything itself."""
    try:
        store.locate(version)
    except Unavailable as error:
        pytest.skip(str(error))
    result = subprocess.run(
        [sys.executable, __file__, version],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    found: dict[str, str | None] = json.loads(result.stdout)
    return found


@pytest.mark.sglang
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("version", RELEASES)
def test_release(version: str, scenario: str) -> None:
    raised = outcomes(version)[scenario]
    if raised is not None:
        pytest.fail(raised, pytrace=False)


def run_all(version: str) -> dict[str, str | None]:
    release = target(version)
    found: dict[str, str | None] = {}
    for name, scenario in SCENARIOS.items():
        try:
            scenario(release)
            found[name] = None
        except Exception:
            found[name] = traceback.format_exc()
    return found


if __name__ == "__main__":
    print(json.dumps(run_all(sys.argv[1])))

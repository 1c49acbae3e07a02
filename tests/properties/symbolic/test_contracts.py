"""The contracts hold on drawn values, and each fails once an error is planted in its rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st

from radixproof.impl.radix.config import CacheConfig
from radixproof.impl.radix.eviction_order import EvictionOrder
from radixproof.impl.radix.window import Gate, window_of
from radixproof.model.config import Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification import (
    inserting,
    loading,
    locking,
    matching,
    nodes,
    ordering,
)
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page, PagesPerPool, Trie
from radixproof.properties.symbolic import both, contracts
from radixproof.properties.symbolic.crosshair import Outcome, all_contracts, replay
from radixproof.properties.symbolic.small_trees import PAGES

CONTRACTS = all_contracts()

small = st.integers(0, 6)
few = st.integers(0, PAGES)
booleans = st.booleans()
tokens = st.lists(st.integers(0, 1), max_size=PAGES)
leaf = st.tuples(small, small, small)


def ending_true(
    elements: st.SearchStrategy[Any], end: Callable[[Any], Any]
) -> st.SearchStrategy[list[Any]]:
    """At least one row; at the last of them a node ends."""
    return st.lists(elements, min_size=1, max_size=PAGES).map(
        lambda rows: [*rows[:-1], end(rows[-1])]
    )


BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("tokens", "stored", "asked"), tokens),
    **dict.fromkeys(("window", "reach", "threshold"), st.integers(1, 9)),
    **dict.fromkeys(("page_size", "pages"), st.integers(1, 3)),
    **dict.fromkeys(("full", "pins", "quota", "more", "start"), small),
    **dict.fromkeys(("zeros", "device", "shared", "gone", "evicted"), few),
    **dict.fromkeys(
        ("bigram", "others", "segments", "keeps_hits", "counts_pins", "on_device", "on_host"),
        booleans,
    ),
    **dict.fromkeys(("old", "new"), leaf),
    "at": st.integers(0, PAGES - 1),
    "locked": st.integers(-1, 5),
    "below": st.lists(booleans, max_size=PAGES),
    "policy": st.integers(0, len(EvictionPolicy) - 1),
    "cuts": ending_true(booleans, lambda _: True),
    "rows": ending_true(st.tuples(booleans, booleans, booleans), lambda row: (True, *row[1:])),
}
"""What a parameter of that name is drawn from."""
NUMBERS = {
    ("floor_is_the_last_whole_page", "tokens"): small,
    ("both_round_down_to_the_same_page", "tokens"): small,
    ("insert_cuts_where_pieces_differ", "stored"): few,
}


def calls(name: str) -> st.SearchStrategy[str]:
    """Calls of a contract as text, much as CrossHair reports them."""
    names = inspect.signature(CONTRACTS[name]).parameters
    drawn = st.fixed_dictionaries(
        {each: NUMBERS.get((name, each), BY_NAME.get(each, st.nothing())) for each in names}
    )
    return drawn.map(
        lambda values: (
            f"{name}({', '.join(f'{each} = {value!r}' for each, value in values.items())})"
        )
    )


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_holds_and_its_premise_can_be_met(name: str) -> None:
    @settings(max_examples=60)
    @given(calls(name))
    def holds(call: str) -> None:
        outcome = replay(CONTRACTS[name], call)
        assume(outcome is not Outcome.UNMET)
        assert outcome is Outcome.HOLDS

    holds()


# -- planted errors: what is replaced, and by what --

Match = tuple[Page, Page]
Plant = tuple[object, str, Any]


def ignores_tombstones(path: list[Page], root: Page, config: Config) -> Match:
    return matching.match_ends(
        path, root, replace(config, window=None, swa_pages=0, swa_host_pages=0)
    )


def window_one_short(path: list[Page], root: Page, config: Config) -> Match:
    assert config.window is not None
    return matching.match_ends(path, root, replace(config, window=max(1, config.window - 1)))


def wants_a_window_always(path: list[Page], root: Page, config: Config) -> Match:
    found = matching.match_ends(path, root, config)
    device, best = (page if page.end >= (config.window or 0) else root for page in found)
    return device, best


def ignores_states(path: list[Page], root: Page, config: Config) -> Match:
    return matching.match_ends(path, root, replace(config, mamba_states=0, mamba_host_states=0))


def minds_copies_on_both_tiers(path: list[Page], root: Page, config: Config) -> Match:
    twice = any(page.has(Pool.SWA) and page.has(Pool.SWA_HOST) for page in path)
    return (root, root) if twice else matching.match_ends(path, root, config)


def cut_with_the_window_rounded_down(start: int, end: int, window: int, page_size: int) -> int:
    return max(start, end - window // page_size * page_size)


def splits_above(state: State, page: Page) -> None:
    (page.parent or page).cut = True


def splits_and_drops_locks(state: State, page: Page) -> None:
    page.cut = True
    page.holders = [() for _ in page.holders]


def one_node_early(path: list[Page], reach: int) -> list[Page]:
    return nodes.window_nodes(path, max(0, reach - 1))


def one_node_late(path: list[Page], reach: int) -> list[Page]:
    return nodes.window_nodes(path, reach + 1)


def not_whole_nodes(path: list[Page], reach: int) -> list[Page]:
    return path[-reach:]


def locks_everything(anchor: Page, config: Config, dialect: Dialect) -> PagesPerPool:
    return locking.host_lock(anchor, config, dialect) | {Pool.FULL_HOST: anchor.path()}


def loads(
    part: Callable[[list[Page]], PagesPerPool],
) -> Callable[[list[Page], Config], PagesPerPool]:
    """A list of a load-back that is not what it should be."""
    return lambda path, config: loading.to_load(path, config) | part(path)


def host_only(path: list[Page], pool: Pool) -> list[Page]:
    return [page for page in path if page.has(Pool(pool + 3)) and not page.has(pool)]


def pins_all(path: list[Page]) -> int:
    return sum(len(page.tokens) for page in path if page.has(Pool.FULL))


def pins_raise_the_quota(
    full: int, others: bool, pins: int, quota: int | None, config: Config
) -> bool:
    return loading.refuses_load(full, others, -pins, quota, config)


def no_quota_if_zero(full: int, others: bool, pins: int, quota: int | None, config: Config) -> bool:
    return loading.refuses_load(full, others, pins, quota or None, config)


def refuses_at_the_threshold(
    full: int, others: bool, pins: int, quota: int | None, config: Config
) -> bool:
    higher = replace(config, load_threshold=config.load_threshold + 1)
    return loading.refuses_load(full, others, pins, quota, higher)


def leaf_with_children(end: Page) -> bool:
    return end.cut and end.has(Pool.FULL) and not end.locked


def leaf_in_a_host_lock(end: Page) -> bool:
    return end.cut and end.host_only and not end.children and not end.locked


def reversed_rank(end: Page, order: EvictionPolicy) -> int:
    return -ordering.rank(end, order)


walk = Trie.walk
root = Trie.root
PLANTED: dict[str, list[Plant]] = {
    "floor_is_the_last_whole_page": [
        (Config, "floor", lambda self, tokens: tokens),
        (Config, "floor", lambda self, tokens: (tokens - 1) // self.page_size * self.page_size),
    ],
    "units_are_whole_pages_of_the_key": [
        (Trie, "units", lambda self, key: key.units(self.config.bigram)),
        (Key, "units", lambda self, bigram: self.tokens),
    ],
    "walk_is_the_longest_stored_prefix": [
        (Trie, "walk", lambda self, key: walk(self, key)[:-1]),
        (Trie, "walk", lambda self, key: self.extend(key)),
    ],
    "walk_stays_in_its_namespace": [(Trie, "root", lambda self, namespace: root(self, ""))],
    "match_stops_where_the_window_is_there": [
        (contracts, "match_ends", ignores_tombstones),
        (contracts, "match_ends", window_one_short),
        (contracts, "match_ends", wants_a_window_always),
    ],
    "match_stops_where_a_state_is": [(contracts, "match_ends", ignores_states)],
    "more_state_never_shortens_a_match": [(contracts, "match_ends", minds_copies_on_both_tiers)],
    "window_cut_leaves_one_window": [(contracts, "window_cut", cut_with_the_window_rounded_down)],
    "insert_cuts_where_pieces_differ": [
        (inserting, "window_cut", lambda start, end, *_: start),
        (inserting, "window_cut", cut_with_the_window_rounded_down),
        (inserting, "split", splits_above),
    ],
    "nodes_are_the_runs_between_cuts": [
        (contracts, "nodes_of", lambda pages: [list(pages)]),
        (contracts, "nodes_of", lambda pages: nodes.nodes_of(pages)[:1]),
    ],
    "split_only_cuts": [
        (Cache, "split", splits_above),
        (Cache, "split", splits_and_drops_locks),
        (
            contracts,
            "Dialect",
            lambda split_keeps_hits: Dialect(split_keeps_hits=not split_keeps_hits),
        ),
    ],
    "window_nodes_are_the_fewest_that_cover": [
        (contracts, "window_nodes", one_node_early),
        (contracts, "window_nodes", one_node_late),
        (contracts, "window_nodes", not_whole_nodes),
    ],
    "device_lock_covers_path_window_and_state": [
        (locking, "window_nodes", lambda path, reach: path[-1:]),
        (contracts, "Dialect", lambda segment_locks: Dialect(segment_locks=not segment_locks)),
    ],
    "host_lock_covers_node_window_and_state": [(contracts, "host_lock", locks_everything)],
    "load_back_brings_what_is_on_the_host_only": [
        (contracts, "to_load", loads(lambda path: {Pool.SWA: host_only(path, Pool.SWA)})),
        (contracts, "to_load", loads(lambda path: {Pool.FULL: path})),
        (contracts, "host_hits", lambda path, config: (len(path), 0, 0)),
    ],
    "load_back_brings_the_state_at_the_end": [
        (contracts, "to_load", loads(lambda path: {Pool.MAMBA: host_only(path, Pool.MAMBA)})),
    ],
    "load_back_makes_the_match_usable": [
        (contracts, "to_load", loads(lambda path: {Pool.SWA: []})),
        (contracts, "to_load", loads(lambda path: {Pool.FULL: path[:-1]})),
    ],
    "pinned_is_what_a_lock_newly_protects": [(contracts, "pinned", pins_all)],
    "load_back_keeps_to_threshold_and_quota": [
        (contracts, "refuses_load", pins_raise_the_quota),
        (contracts, "refuses_load", refuses_at_the_threshold),
    ],
    "more_quota_never_refuses": [
        (contracts, "refuses_load", pins_raise_the_quota),
        (contracts, "refuses_load", no_quota_if_zero),
    ],
    "leaf_leaves_nothing_behind": [
        (contracts, "is_device_leaf", leaf_with_children),
        (contracts, "is_host_leaf", leaf_in_a_host_lock),
    ],
    "policy_chooses_between_two_leaves": [
        (ordering, "rank", reversed_rank),
        (contracts, "in_order", lambda pages, order: pages),
    ],
    "both_round_down_to_the_same_page": [
        (CacheConfig, "floor", lambda self, tokens: (tokens - 1) // self.page_size * self.page_size)
    ],
    "both_end_a_match_at_the_same_node": [
        (both, "Gate", lambda window: Gate(window + 1)),
        (both, "Gate", lambda window: Gate(window, 0)),
    ],
    "both_cover_a_window_by_the_same_nodes": [
        (both, "window_of", lambda node, window: window_of(node, window - 1)),
    ],
    "both_cut_a_new_leaf_at_the_same_place": [
        (both, "tail", lambda length, window, page_size: min(length, window)),
    ],
    "both_choose_the_same_of_two_leaves": [
        (both, "EvictionOrder", lambda policy: EvictionOrder("lru")),
    ],
}


def test_every_contract_is_known_and_has_an_error_planted() -> None:
    assert list(PLANTED) == list(CONTRACTS)


@pytest.mark.parametrize(
    ("name", "plant"), [(name, plant) for name, plants in PLANTED.items() for plant in plants]
)
def test_a_planted_error_makes_the_contract_fail(
    name: str, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, search = CONTRACTS[name], settings(max_examples=2_000, phases=[Phase.generate])
    with monkeypatch.context() as planted:
        planted.setattr(*plant)
        call = find(
            calls(name), lambda call: replay(contract, call) is Outcome.FAILS, settings=search
        )
    assert replay(contract, call) is Outcome.HOLDS

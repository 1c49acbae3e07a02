"""Contracts of the model's pure rules, written so that CrossHair can run them on symbolic values.

Each public function is a contract over plain values. The asserts that it begins with are its
premise; the others must hold then. They say what a rule is for, not how it is computed. A contract
also runs as it is, on any concrete values.

CrossHair *confirms* a contract if it has exhausted all paths of execution on which the premise
holds. The contract is then true of all those values (of every integer, where the premise sets no
bound), provided that CrossHair and its solver are right. Otherwise all that is known is that it
found no counterexample in the time it had. Neither says anything about prefixes of more than
`PAGES` pages.

Where no page size is given, a page is `PAGE` tokens. With two, even windows align
with pages, as all do with one.
"""

from __future__ import annotations

from radixproof.model.config import DEVICE, HOST, POOLS, Component, Config, EvictionPolicy, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.inserting import window_cut
from radixproof.model.specification.loading import host_hits, pinned, refuses_load, to_load
from radixproof.model.specification.locking import device_lock, host_lock
from radixproof.model.specification.matching import match_ends
from radixproof.model.specification.nodes import (
    is_device_leaf,
    is_host_leaf,
    nodes_of,
    window_nodes,
)
from radixproof.model.specification.ordering import in_order
from radixproof.model.specification.trie import Page, Trie
from radixproof.properties.symbolic.small_trees import (
    OURS,
    PAGE,
    PAGES,
    THEIRS,
    Row,
    are_cuts,
    are_rows,
    common_tokens,
    is_short,
    path_of_rows,
    path_with,
    prompt_of,
    small_config,
    tokens_in,
)

# -- keys, pages and prefixes (semantics 2) --------------------------------------------------------


def floor_is_the_last_whole_page(tokens: int, page_size: int) -> None:
    """Rounding down to pages drops less than a page (semantics 2.3)."""
    assert tokens >= 0
    assert page_size >= 1
    whole = small_config(page_size).floor(tokens)
    assert 0 <= whole <= tokens
    assert whole % page_size == 0
    assert tokens - whole < page_size


def units_are_whole_pages_of_the_key(tokens: list[int], page_size: int, bigram: bool) -> None:
    """A key is seen as its tokens, or as each with its right neighbour; only a page begun is
    dropped (semantics 2.2, 2.3).
    """
    assert len(tokens) <= PAGES + 1
    assert 1 <= page_size <= 3
    units = Trie(Config(page_size=page_size, bigram=bigram)).units(Key(tuple(tokens)))
    most = max(0, len(tokens) - 1) if bigram else len(tokens)
    assert len(units) % page_size == 0
    assert 0 <= most - len(units) < page_size
    for at, unit in enumerate(units):
        assert unit == ((tokens[at], tokens[at + 1]) if bigram else tokens[at])


def walk_is_the_longest_stored_prefix(
    zeros: int, stored: list[int], asked: list[int], page_size: int
) -> None:
    """A walk is the whole pages that a prompt has in common with the stored one that shares most
    (semantics 2.3, 3.1).

    One of two stored prompts is all zeros; which tokens it has does not matter, only where others
    differ from it.
    """
    assert 0 <= zeros <= PAGES
    assert is_short(stored)
    assert is_short(asked)
    assert 1 <= page_size <= 2
    trie = Trie(small_config(page_size))
    prompts = ([0] * zeros, stored)
    for prompt in prompts:
        trie.extend(Key(tuple(prompt)))
    found = trie.walk(Key(tuple(asked)))
    shared = max(common_tokens(prompt, asked) for prompt in prompts)
    assert [page.end for page in found] == [
        end for end in range(1, shared + 1) if end % page_size == 0
    ]
    assert [token for page in found for token in page.tokens] == asked[: len(found) * page_size]


def walk_stays_in_its_namespace(stored: list[int], asked: list[int]) -> None:
    """Nothing of one namespace is found from another (semantics 2.1)."""
    assert is_short(stored)
    assert is_short(asked)
    trie = Trie(small_config(1))
    trie.extend(Key(tuple(stored), "theirs"))
    assert trie.walk(Key(tuple(asked), "ours")) == []


# -- where a match stops (semantics 3.2, 3.3) ------------------------------------------------------


def _on(page: Page, component: Component, either: bool) -> bool:
    return page.has(DEVICE[component]) or (either and page.has(HOST[component]))


def match_stops_where_the_window_is_there(rows: list[Row], device: int, window: int) -> None:
    """A match stops at the last end of a node with FULL, and with SWA of every page that the window
    before it touches (3.2, 3.3).

    Before any tombstone that is every end of a node, however short. For the device alone, and for
    either tier.
    """
    assert are_rows(rows)
    assert 0 <= device <= len(rows)
    assert window >= 1
    trie = Trie(small_config(window=window))
    path, root = path_of_rows(trie, rows, device), trie.root("")
    found = match_ends(path, root, trie.config)
    for page, either in zip(found, (False, True), strict=True):
        gaps = [gap.end for gap in path if not _on(gap, Component.SWA, either)]
        ends = [end for end in path if end.cut and _on(end, Component.FULL, either)]
        assert (
            page
            is [
                root,
                *(
                    end
                    for end in ends
                    if not any(end.end - window < gap <= end.end for gap in gaps)
                ),
            ][-1]
        )
    assert found.device.end <= found.best.end


def match_stops_where_a_state_is(rows: list[Row], device: int) -> None:
    """A match stops at the last end of a node with FULL and with a state; on the device, or on
    either tier (semantics 3.2, 3.3).
    """
    assert are_rows(rows)
    assert 0 <= device <= len(rows)
    trie = Trie(small_config(states=True))
    path, root = path_of_rows(trie, rows, device, Component.MAMBA), trie.root("")
    found = match_ends(path, root, trie.config)
    for page, either in zip(found, (False, True), strict=True):
        ends = [
            end
            for end in path
            if end.cut and _on(end, Component.FULL, either) and _on(end, Component.MAMBA, either)
        ]
        assert page is [root, *ends][-1]
    assert found.device.end <= found.best.end


def more_state_never_shortens_a_match(rows: list[Row], device: int, window: int) -> None:
    """Holding a page in one more pool, whatever holds it already, moves neither
    boundary towards the root.
    """
    assert are_rows(rows)
    assert 0 <= device <= len(rows)
    assert window >= 1
    trie = Trie(small_config(window=window))
    path, root = path_of_rows(trie, rows, device), trie.root("")
    before = match_ends(path, root, trie.config)
    for page in path:
        for pool in (Pool.FULL, Pool.SWA, Pool.SWA_HOST):
            held, page.resident_in[pool] = page.resident_in[pool], True
            after = match_ends(path, root, trie.config)
            page.resident_in[pool] = held
            assert after.device.end >= before.device.end
            assert after.best.end >= before.best.end


# -- cuts (semantics 4.1 to 4.3, 5) ----------------------------------------------------------------


def window_cut_leaves_one_window(start: int, pages: int, window: int, page_size: int) -> None:
    """The piece below the cut is whole pages, covers the window or is everything, and with a page
    less would not cover it (4.3).
    """
    assert start >= 0
    assert pages >= 1
    assert window >= 1
    assert 1 <= page_size <= 4
    end = start + pages * page_size
    cut = window_cut(start, end, window, page_size)
    assert start <= cut < end
    assert (end - cut) % page_size == 0
    assert end - cut >= window or cut == start
    assert end - cut - page_size < window


def insert_cuts_where_pieces_differ(
    stored: int, gone: int, shared: int, pages: int, evicted: int, window: int
) -> None:
    """An insert ends nodes where it left the tree, where SWA begins, one window before the end of a
    new leaf, and at its end.

    Of the ``stored`` pages of an earlier prompt ``gone`` have no SWA, and ``shared`` begin this
    one, too (semantics 4.1 to 4.3).
    """
    assert 0 <= gone <= stored <= PAGES
    assert 0 <= shared <= stored
    assert 1 <= pages <= PAGES
    assert shared <= pages
    assert 0 <= evicted <= pages
    assert window >= 1
    cache = Cache(small_config(window=window), Dialect())
    old = cache.insert(prompt_of(stored, stored), 0, gone * PAGE).path[:shared]
    had, ended = [page.has(Pool.SWA) for page in old], [page.cut for page in old]
    path = cache.insert(prompt_of(shared, pages), 0, evicted * PAGE).path
    has, last = [page.has(Pool.SWA) for page in path], nodes_of(path)[-1]
    assert path[:shared] == old
    assert path[-1].cut
    assert has == [at >= evicted or (at < shared and had[at]) for at in range(pages)]
    for at in range(pages - 1):
        one_window = at >= shared and path[at + 1] is last[0]
        assert path[at].cut == (
            has[at] != has[at + 1] or at + 1 == shared or one_window or (at < shared and ended[at])
        )
    if has[-1] and pages > shared:
        assert tokens_in(last) - PAGE < window
        assert tokens_in(last) >= window or last[0] is path[max(evicted, shared)]


def nodes_are_the_runs_between_cuts(cuts: list[bool]) -> None:
    """The nodes of a path spell it, each ends with its only cut, and every page says the same of
    its node (semantics 1.1).
    """
    assert are_cuts(cuts)
    path = path_with(Trie(small_config()), cuts)
    nodes = nodes_of(path)
    assert [page for node in nodes for page in node] == path
    for node in nodes:
        assert [page.cut for page in node] == [False] * (len(node) - 1) + [True]
        assert node[-1].node() == node
        assert all(page.node_end() is node[-1] for page in node)


def split_only_cuts(cuts: list[bool], at: int, keeps_hits: bool) -> None:
    """A split adds one cut: no page changes its state or locks, and in an old dialect only the
    upper node its hits (5.1, 5.4).
    """
    assert are_cuts(cuts)
    assert 0 <= at < len(cuts)
    cache = Cache(small_config(window=PAGE), Dialect(split_keeps_hits=keeps_hits))
    path = path_of_rows(
        cache.trie, [(cut, place != 1, place != 2) for place, cut in enumerate(cuts)], device=2
    )
    cache.lock(THEIRS, path[-1])
    for page in path:
        page.hits = 1
    state = [(list(page.resident_in), list(page.holders)) for page in path]
    node = path[at].node_end().node()
    cache.split(path[at])
    upper = [] if cuts[at] else nodes_of(node)[0]
    assert [page.cut for page in path] == [cut or place == at for place, cut in enumerate(cuts)]
    assert [(page.resident_in, page.holders) for page in path] == state
    assert [page.hits for page in path] == [int(keeps_hits or page not in upper) for page in path]


# -- the window, and locks (semantics 3.5, 6) ------------------------------------------------------


def _is_window(part: list[Page], whole: list[Page], reach: int) -> None:
    """``part`` is the last whole nodes of ``whole`` that cover the reach, or all there are; without
    the first they would not.
    """
    above = whole[: len(whole) - len(part)]
    assert above + part == whole
    assert not above or (above[-1].cut and tokens_in(part) >= reach)
    assert not part or tokens_in(part) - tokens_in(nodes_of(part)[0]) < reach


def window_nodes_are_the_fewest_that_cover(cuts: list[bool], reach: int) -> None:
    """As few whole nodes as cover the reach, tombstones included (semantics 3.5, 6.1)."""
    assert are_cuts(cuts)
    assert reach >= 1
    path = path_with(Trie(small_config()), cuts)
    _is_window(window_nodes(path, reach), path, reach)


def device_lock_covers_path_window_and_state(rows: list[Row], window: int, segments: bool) -> None:
    """FULL to the root, SWA as far up as the window, the state of the anchor; old dialects pass
    over what is not there (6.1).

    Here the last two of a row are SWA and a state, both on the device; a node has those of its last
    page.
    """
    assert are_rows(rows)
    assert window >= 1
    trie = Trie(small_config(window=window, states=True))
    path = path_with(trie, [cut for cut, _, _ in rows])
    said = dict(zip(path, rows, strict=True))
    for page in path:
        _, page.resident_in[Pool.SWA], page.resident_in[Pool.MAMBA] = said[page.node_end()]
    locked = device_lock(path[-1], trie.config, Dialect(segment_locks=segments))
    assert locked[Pool.FULL] == path
    _is_window(
        locked[Pool.SWA],
        path if segments else [page for page in path if page.has(Pool.SWA)],
        window,
    )
    assert locked.get(Pool.MAMBA, []) == (path[-1:] if segments or path[-1].has(Pool.MAMBA) else [])


def host_lock_covers_node_window_and_state(cuts: list[bool], window: int) -> None:
    """The host copies of the anchor's own node, SWA as far up as the window, the state of the
    anchor; of a root nothing (6.6).
    """
    assert are_cuts(cuts)
    assert window >= 1
    trie = Trie(small_config(window=window, states=True))
    path = path_with(trie, cuts, device=0)
    locked = host_lock(path[-1], trie.config, Dialect())
    assert locked[Pool.FULL_HOST] == nodes_of(path)[-1]
    _is_window(locked[Pool.SWA_HOST], path, window)
    assert locked[Pool.MAMBA_HOST] == path[-1:]
    assert host_lock(trie.root(""), trie.config, Dialect()) == {}


# -- load-back (semantics 3.4, 9.2, 9.3) -----------------------------------------------------------


def load_back_brings_what_is_on_the_host_only(rows: list[Row], device: int, window: int) -> None:
    """FULL of the path, and SWA of the nodes that the window touches, if on the host only; the host
    hits are their slots (3.4).
    """
    assert are_rows(rows)
    assert 0 <= device <= len(rows)
    assert window >= 1
    trie = Trie(small_config(window=window))
    path = path_of_rows(trie, rows, device)
    near = [page for page in path if page.node_end().end > path[-1].end - window]
    lists = to_load(path, trie.config)
    assert lists[Pool.FULL] == path[device:]
    assert lists[Pool.SWA] == [
        page for page in near if page.has(Pool.SWA_HOST) and not page.has(Pool.SWA)
    ]
    assert host_hits(path, trie.config) == (
        tokens_in(lists[Pool.FULL]),
        tokens_in(lists[Pool.SWA]),
        0,
    )


def load_back_brings_the_state_at_the_end(rows: list[Row], device: int) -> None:
    """Of the states on the path only the last, if it is on the host only: one host hit
    (semantics 3.4, 9.2).
    """
    assert are_rows(rows)
    assert 0 <= device <= len(rows)
    trie = Trie(small_config(states=True))
    path = path_of_rows(trie, rows, device, Component.MAMBA)
    brings = path[-1].has(Pool.MAMBA_HOST) and not path[-1].has(Pool.MAMBA)
    assert to_load(path, trie.config)[Pool.MAMBA] == (path[-1:] if brings else [])
    assert host_hits(path, trie.config)[Component.MAMBA] == int(brings)


def load_back_makes_the_match_usable(rows: list[Row], device: int, window: int) -> None:
    """Once what it brings is there, all that was matched on either tier is usable on the device
    (semantics 9.2).
    """
    assert are_rows(rows)
    assert 0 <= device <= len(rows)
    assert window >= 1
    trie = Trie(small_config(window=window))
    path, root = path_of_rows(trie, rows, device), trie.root("")
    _, best = match_ends(path, root, trie.config)
    for pool, pages in to_load(best.path(), trie.config).items():
        for page in pages:
            page.resident_in[pool] = True
    now, _ = match_ends(path, root, trie.config)
    assert now is best


def _protected(path: list[Page]) -> int:
    """Tokens of FULL that are on the device and locked there."""
    return tokens_in([page for page in path if page.has(Pool.FULL) and page.locked_in(Pool.FULL)])


def pinned_is_what_a_lock_newly_protects(pages: int, device: int, locked: int) -> None:
    """FULL on the device that is protected with the lock and was not without it, in tokens
    (semantics 6.1).
    """
    assert 1 <= pages <= PAGES
    assert 0 <= device <= pages
    assert 0 <= locked <= pages
    cache = Cache(small_config(), Dialect())
    path = path_with(cache.trie, [True] * pages, device)
    cache.lock(THEIRS, path[locked - 1] if locked else cache.trie.root(""))
    pins, before = pinned(path), _protected(path)
    cache.lock(OURS, path[-1])
    assert pins == _protected(path) - before


def load_back_keeps_to_threshold_and_quota(
    full: int, others: bool, pins: int, quota: int, threshold: int
) -> None:
    """Without a quota only too little FULL is refused, if it comes alone; with one, also what
    exceeds it, from which pins take (semantics 9.3).
    """
    assert full >= 0
    assert pins >= 0
    assert quota >= 0
    assert threshold >= 1
    config = Config(load_threshold=threshold)
    pointless = refuses_load(full, others, pins, None, config)
    assert pointless == (full < threshold and not others)
    left = quota - pins
    assert refuses_load(full, others, pins, quota, config) == (pointless or left < full)


def more_quota_never_refuses(full: int, others: bool, pins: int, quota: int, more: int) -> None:
    """What is loaded is also loaded with a larger quota, with none, and with fewer pins (9.3)."""
    assert full >= 0
    assert pins >= 0
    assert quota >= 0
    assert more >= 0
    config = Config()
    if not refuses_load(full, others, pins + more, quota, config):
        assert not refuses_load(full, others, pins + more, quota + more, config)
        assert not refuses_load(full, others, pins + more, None, config)
        assert not refuses_load(full, others, pins, quota, config)


# -- eviction (semantics 1.6, 7.2) -----------------------------------------------------------------


def leaf_leaves_nothing_behind(
    on_device: bool, on_host: bool, below: list[bool], locked: int
) -> None:
    """A device leaf has nothing on the device below it, a host leaf nothing at all; a lock keeps a
    node from being one (1.6).

    A node of one page, with children of which those marked are on the device; ``locked`` is the
    pool it is locked in, or none.
    """
    assert on_device or on_host
    assert len(below) <= PAGES
    assert on_device or not any(below)
    assert -1 <= locked < len(POOLS)
    trie = Trie(small_config())
    (node,) = path_with(trie, [True], device=int(on_device))
    node.resident_in[Pool.FULL_HOST] = on_host
    for at, here in enumerate(below):
        child = trie.child(node, (at, at))
        child.cut = child.resident_in[Pool.FULL if here else Pool.FULL_HOST] = True
        assert is_device_leaf(child) == here
        assert is_host_leaf(child) != here
    if locked >= 0:
        node.holders[locked] = (THEIRS,)
    assert is_device_leaf(node) == (
        on_device and True not in below and not 0 <= locked < len(DEVICE)
    )
    assert is_host_leaf(node) == (not on_device and not below and locked < 0)


def policy_chooses_between_two_leaves(
    policy: int, old: tuple[int, int, int], new: tuple[int, int, int]
) -> None:
    """The less recently used of two goes first, unless the policy is the reverse, or prefers the
    other by what it counts (7.2).

    For each leaf: its hits, the insert that made it, its priority.
    """
    assert 0 <= policy < len(EvictionPolicy)
    older, newer = (
        Page((), None, 0, hits=hits, created=made, priority=high) for hits, made, high in (old, new)
    )
    prefers_newer = {
        EvictionPolicy.LRU: False,
        EvictionPolicy.MRU: True,
        EvictionPolicy.LFU: newer.hits < older.hits,
        EvictionPolicy.FIFO: newer.created < older.created,
        EvictionPolicy.FILO: newer.created > older.created,
        EvictionPolicy.PRIORITY: newer.priority < older.priority,
        EvictionPolicy.SLRU: newer.hits < 2 <= older.hits,
    }
    order = list(EvictionPolicy)[policy]
    assert list(in_order([older, newer], order)) == (
        [newer, older] if prefers_newer[order] else [older, newer]
    )

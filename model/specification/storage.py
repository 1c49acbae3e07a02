"""The storage tier: what was fetched to the host, and is handed over there (semantics 10)."""

from __future__ import annotations

from radixproof.model.config import Pool
from radixproof.model.key import Key
from radixproof.model.specification.backing_up import hangs_from_backed
from radixproof.model.specification.nodes import nodes_of
from radixproof.model.specification.splitting import split
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page


def host_insert(state: State, key: Key, start: int) -> int:
    """A key beyond token ``start``, the end of a node, is handed over on the host: FULL, and the
    window and the state of its end (10.3).

    Returns how many tokens of FULL were taken.
    """
    state.inserts += 1
    walked = state.trie.walk(key)
    if walked:
        split(state, walked[-1])
    taken = _refill(state, [page for page in walked if page.end > start])
    used = [page for node in nodes_of(walked) if node[-1].end >= start for page in node]
    state.trie.touch(used)
    if not state.dialect.mamba_recency_at_end:
        state.trie.renew(used, Pool.MAMBA)
    added = _add_below(state, key, walked)
    path = walked + added
    if path and path[-1].has(Pool.FULL_HOST) and path[-1].end == len(state.trie.units(key)):
        _attach(state, path, start)
    return sum(len(page.tokens) for page in taken + added)


def _refill(state: State, pages: list[Page]) -> list[Page]:
    """Walked pages take the host copy that they lack, if their parent has one (semantics 10.3)."""
    if state.config.write_back or not state.dialect.host_insert_refills:
        return []
    refilled = []
    for page in pages:
        if not page.has(Pool.FULL_HOST) and hangs_from_backed([page]):
            state.trie.put(page, Pool.FULL_HOST)
            refilled.append(page)
    return refilled


def _add_below(state: State, key: Key, walked: list[Page]) -> list[Page]:
    """The rest of the key becomes a host-only node, if one may hang there (semantics 10.3, 1.4)."""
    if walked and not (walked[-1].has(Pool.FULL_HOST) or state.config.write_back):
        return []
    added = state.trie.extend(key)[len(walked) :]
    for page in added:
        state.trie.put(page, Pool.FULL_HOST)
        page.created = state.inserts
        page.priority, page.urgency = (
            (walked[-1].priority, walked[-1].urgency) if walked else (0, state.most_urgent)
        )
    state.trie.touch(added)
    if added:
        split(state, added[-1])
    return added


def _attach(state: State, path: list[Page], start: int) -> None:
    """The nodes of the window take its SWA, and the end its state, where they have no host copy of
    these (semantics 10.3).
    """
    end = path[-1]
    first = end.end - state.config.fetched_window(start, end.end)
    window = [page for page in path if page.end > first]
    lacking = [page for page in window if not page.has(Pool.SWA_HOST)]
    if lacking and lacking[0] is window[0] and len(window) < len(path):
        split(state, path[-len(window) - 1])
    for page in lacking:
        state.trie.put(page, Pool.SWA_HOST)
    if state.config.mamba_states:
        state.trie.put(end, Pool.MAMBA_HOST)

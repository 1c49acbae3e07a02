"""Match: how far a prompt is cached, on the device and at best (semantics 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.specification.nodes import window_nodes
from radixproof.model.specification.splitting import split
from radixproof.model.specification.state import Kept, State
from radixproof.model.specification.trie import Page

Tiers: TypeAlias = tuple[tuple[Pool, Pool], tuple[Pool, Pool], tuple[Pool, Pool]]
"""Per component: the pools, either of which will do."""

ON_DEVICE: Tiers = ((Pool.FULL, Pool.FULL), (Pool.SWA, Pool.SWA), (Pool.MAMBA, Pool.MAMBA))
ON_EITHER: Tiers = (
    (Pool.FULL, Pool.FULL_HOST),
    (Pool.SWA, Pool.SWA_HOST),
    (Pool.MAMBA, Pool.MAMBA_HOST),
)


class MatchEnds(NamedTuple):
    """The two answers of a match: the last pages that it may end with (semantics 3.3)."""

    device: Page
    """By device state alone: what a request is served."""
    best: Page
    """With host copies counted as well: never above ``device``."""


def match(state: State, key: Key) -> MatchEnds:
    """The last page usable on the device, and the last on any tier (semantics 3.1, 3.3).

    Splits the node in which the walk ends, and renews recency.
    """
    path = state.trie.walk(key)
    if path:
        split(state, path[-1])
    ends = match_ends(path, state.trie.root(key.namespace), state.config)
    renew_path(state, path[: ends.best.end // state.config.page_size])
    return ends


def keep(state: State, name: str, ends: MatchEnds) -> None:
    """What a match found is kept, to be used later (semantics 3.7)."""
    state.kept[name] = Kept(ends.device, ends.best, state.trie.windows)


def stands(state: State, name: str) -> bool:
    """What a kept match found is there still: a match may end at both of its nodes, and nobody has
    exchanged the slots that it named (semantics 3.7).
    """
    kept = state.kept.get(name)
    if kept is None or any(page.window > kept.windows for page in kept.device.path()):
        return False
    return all(
        match_end(end.path(), state.trie.root(end.namespace), state.config, tiers) is end
        for end, tiers in ((kept.device, ON_DEVICE), (kept.best, ON_EITHER))
    )


def match_ends(path: Sequence[Page], root: Page, config: Config) -> MatchEnds:
    """Where a match that walks ``path`` ends, by either answer (semantics 3.3).

    Best is never above device, so where device is the end of the walk, both are the same.
    """
    device = match_end(path, root, config, ON_DEVICE)
    if path and device is path[-1]:
        return MatchEnds(device, device)
    return MatchEnds(device, match_end(path, root, config, ON_EITHER))


def match_end(path: Sequence[Page], root: Page, config: Config, tiers: Tiers) -> Page:
    """The last node end on ``path`` at which a match may stop (semantics 3.2).

    Before the first page without SWA any length will do; after one, a whole window of SWA has to
    accumulate again. Every page counts, even where another component forbids an end.
    """
    (full, or_full), (swa, or_swa), (mamba, or_mamba) = tiers
    window = config.window
    stateless = not config.mamba_states
    end = root
    run: float = float("inf")
    for page in path:
        there = page.resident_in
        if window is not None:
            run = run + len(page.tokens) if there[swa] or there[or_swa] else 0
        if not page.cut or (window is not None and run < window):
            continue
        if (there[full] or there[or_full]) and (stateless or there[mamba] or there[or_mamba]):
            end = page
    return end


def renew_path(state: State, path: list[Page]) -> None:
    """A path becomes the most recently used; of SWA and MAMBA only what a continuation
    needs (3.5).
    """
    state.trie.touch(path)
    window = state.config.window
    if window is not None:
        near = window_nodes(path, window + state.config.page_size)
        state.trie.renew(near if state.dialect.swa_recency_in_window else path, Pool.SWA)
    if state.config.mamba_states:
        state.trie.renew(path[-1:] if state.dialect.mamba_recency_at_end else path, Pool.MAMBA)

"""Which milestones an eviction, on the device or on the host, is about to reach."""

from __future__ import annotations

from radixproof.impl.operations import (
    Evict,
)
from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Pool
from radixproof.model.specification.backing_up import host_need
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.nodes import is_device_leaf, is_host_leaf
from radixproof.model.specification.ordering import in_order
from radixproof.model.specification.trie import Page
from radixproof.properties.coverage.milestones import Met, Milestone
from radixproof.properties.generating.preview import (
    receipts_on,
    unlocked_on_host,
)

FULL, SWA, MAMBA = Component


def of_evict(model: Cache, operation: Evict) -> Met:
    trie, order = model.trie, model.config.eviction_policy
    leaves = [page for page in trie.recency_in[FULL] if is_device_leaf(page)]
    if operation.full and leaves:
        if operation.full > sum(
            len(page.tokens) for page in trie.recency_in[FULL] if not page.locked
        ):
            yield Milestone.EVICTION_OF_TOO_MUCH
        first = next(iter(in_order(leaves, order)))
        if first is not leaves[0]:
            yield Milestone.EVICTION_BY_OTHER_ORDER
        yield from _of_leaf(model, first)
    for component, asked in ((SWA, operation.swa), (MAMBA, operation.mamba)):
        if asked and not operation.full:
            yield from _of_value(model, component)


def _of_leaf(model: Cache, leaf: Page) -> Met:
    """A leaf is the first that has to leave the device."""
    config, backed = model.config, leaf.has(Pool.FULL_HOST)
    if any(not copy.load for copy in model.copies.flying):
        yield Milestone.EVICTION_IN_FLIGHT
    if any(copy.load for copy in model.copies.flying):
        yield Milestone.EVICTION_WHILE_LOADING
    if not config.hosted:
        yield Milestone.EVICTION_WITHOUT_HOST
    elif backed:
        yield Milestone.DEMOTION
    elif any(page.host_locked for page in model.trie.subtree(leaf.node())):
        yield Milestone.EVICTION_UNDER_HOST_LOCK
    elif config.write_back:
        yield from _of_writing_back(model, leaf)
    else:
        yield Milestone.DELETION


def _of_writing_back(model: Cache, leaf: Page) -> Met:
    need = dict(zip(COMPONENTS, host_need(model, [leaf.node()]), strict=True))
    room = {component: model.trie.free(HOST[component]) for component in need}
    spare = {component: unlocked_on_host(model, HOST[component]) for component in need}
    fails = any(HOST[component] in model.refusing for component in need if need[component])
    if fails or any(need[component] > room[component] + spare[component] for component in need):
        if leaf.children:
            yield Milestone.WRITE_BACK_DELETION
    elif all(need[component] <= room[component] for component in need):
        yield Milestone.WRITE_BACK_OF_LEAF
    else:
        yield Milestone.WRITE_BACK_MAKES_ROOM


def _of_value(model: Cache, component: Component) -> Met:
    """SWA or MAMBA alone is evicted."""
    pool = DEVICE[component]
    victim = next(
        (
            page
            for page in model.trie.recency_in[component]
            if page.cut and not page.locked_in(pool)
        ),
        None,
    )
    if victim is None or is_device_leaf(victim):
        return
    yield Milestone.SWA_EVICTION_INTERIOR if component is SWA else Milestone.STATE_EVICTION_INTERIOR
    if component is SWA and victim.has(Pool.MAMBA) and not victim.locked_in(Pool.MAMBA):
        yield Milestone.STATE_LOST_WITH_WINDOW
    if model.config.write_back and not victim.has(Pool.FULL_HOST):
        yield Milestone.WRITE_BACK_INTERIOR


def of_evict_host(model: Cache, component: Component) -> Met:
    trie, pool = model.trie, HOST[component]
    ends = [page for page in trie.recency if page.cut and page.has(pool)]
    if any(copy.load and any(page.has(pool) for page in copy.node) for copy in model.copies.flying):
        yield Milestone.HOST_EVICTION_WHILE_LOADING
    if component is not FULL:
        if any(
            not is_host_leaf(page) and not page.has(DEVICE[component]) and not page.locked_in(pool)
            for page in ends
        ):
            yield (
                Milestone.HOST_EVICTION_OF_WINDOW
                if component is SWA
                else Milestone.HOST_EVICTION_OF_STATE
            )
        return
    tops = (page.node()[0].parent for page in ends if is_host_leaf(page))
    if any(above is not None and above.host_only for above in tops):
        yield Milestone.HOST_EVICTION_OF_CHAIN
    if any(page.host_only and not page.children and receipts_on(page, pool) for page in ends):
        yield Milestone.HOST_EVICTION_LOCKED
    if model.config.write_back and any(
        page.has(Pool.FULL) and not page.host_locked for page in ends
    ):
        yield Milestone.HOST_EVICTION_OF_DUPLICATE

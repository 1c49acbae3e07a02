"""Eviction from the host (semantics 7.9), alone or to make room for what comes there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from radixproof.model.config import COMPONENTS, DEVICE, HOST, Component, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.eviction import (
    Amounts,
    Choice,
    Pages,
    choose,
    in_order,
    recency_of,
    stopped_early,
)
from radixproof.model.rules import is_device_leaf, is_host_leaf
from radixproof.model.trie import Page, Trie, spell
from radixproof.model.verdict import Breach, Property


def evict_host(
    trie: Trie,
    dialect: Dialect,
    tokens: int,
    component: Component,
    busy: Pages,
    choice: Choice | None,
) -> tuple[int, list[Breach]]:
    """Free host tokens of one component; ``busy`` are the pages of copies in flight. Returns the freed tokens."""
    pool, before, breaches = HOST[component], trie.free(HOST[component]), list[Breach]()
    candidates = partial(_victims, trie, dialect, component, busy)
    if choice is not None:
        full, swa, mamba = (tokens if component is other else 0 for other in COMPONENTS)
        breaches = follow_host_eviction(trie, dialect, (full, swa, mamba), busy, choice)
    else:
        while (
            trie.free(pool) - before < tokens
            and (victim := next(iter(candidates()), None)) is not None
        ):
            take_off_host(trie, victim, component)
    freed = trie.free(pool) - before
    if freed < tokens:
        stopped_early(candidates, "host-stopped-early", tokens, freed, breaches)
    return freed, breaches


def reclaimable(trie: Trie, dialect: Dialect, component: Component, busy: Pages) -> int:
    """Host slots that `evict_host` would free if it were asked for all there is."""
    pages = [
        page
        for end in _victims(trie, dialect, component, busy)
        for page in end.node()
        if page.has(HOST[component])
    ]
    if component is Component.FULL:
        stays = {
            above
            for page in trie.recency
            if page.locked or page.host_locked or page in busy
            for above in page.path()
        }
        pages = [page for page in pages if page.has(Pool.FULL)] + [
            page for page in trie.host_only[0] if page not in stays
        ]
    return len(pages) * trie.config.unit(HOST[component])


def follow_host_eviction(
    trie: Trie, dialect: Dialect, wanted: Amounts, busy: Pages, choice: Choice, counted: bool = True
) -> list[Breach]:
    """Follow a system that had to free ``wanted`` host tokens per component (none if 0 or less): what went, in order, not too much.

    Unless ``counted``, it may have freed more for reasons that do not show. Releases put host values of SWA and MAMBA into their
    order at different moments of a split, so that where these have to go, any may.
    """
    breaches, victims = list[Breach](), list[Amounts]()
    gone = choice.gone[Pool.FULL_HOST]
    candidates = partial(_victims, trie, dialect, Component.FULL, busy, gone)
    ordered, too_many = wanted[1] <= 0 and wanted[2] <= 0, False
    for pool in HOST[1:]:
        kept = next(
            (page for page in choice.gone[pool] if is_host_leaf(page) and page not in gone), None
        )
        if kept is not None:
            text = f"{spell(kept.node())} is a host leaf and lost its {pool.component.name}, but was not deleted"
            breaches.append(Breach(Property.PROGRESS, "host-leaf-kept", text))
    for _ in range(sum(page.cut for page in gone) if ordered else 0):
        victim = choose(candidates, gone, Component.FULL, trie.config.eviction_policy, breaches)
        if victim is None:
            break
        too_many = too_many or sum(freed[0] for freed in victims) >= wanted[0]
        victims.append(take_off_host(trie, victim, Component.FULL))
    victims += _the_rest(trie, choice, wanted if counted else None)
    if counted and not breaches and victims:
        if all(
            sum(freed[at] for freed in victims) - max(freed[at] for freed in victims) >= wanted[at]
            for at in COMPONENTS
        ):
            text = f"{len(victims)} nodes went from the host, more than freeing {max(0, *wanted)} takes"
            breaches.append(Breach(Property.PROGRESS, "host-freed-too-much", text))
        elif too_many:
            text = "the nodes that went from the host were too many in order of use, so that they went in another"
            breaches.append(Breach(Property.RECENCY, recency_of(Component.FULL), text))
    return breaches


def _the_rest(trie: Trie, choice: Choice, wanted: Amounts | None) -> list[Amounts]:
    """Take off the host whatever else may have gone, from the bottom: of components that were ``wanted`` (None: of any)."""
    victims: list[Amounts] = []
    ends = dict.fromkeys(page for pool in HOST for page in choice.gone[pool] if page.cut)
    for page in sorted(ends, key=lambda page: -page.end):
        for component, pool in zip(COMPONENTS, HOST, strict=True):
            spare = (component is Component.FULL and trie.config.write_back) or not page.has(
                DEVICE[component]
            )
            asked = wanted is None or wanted[component] > 0
            if (
                asked
                and spare
                and page in choice.gone[pool]
                and page.has(pool)
                and not page.locked_in(pool)
            ):
                victims.append(
                    take_off_host(trie, page, component, whole=page in choice.gone[Pool.FULL_HOST])
                )
                break
    return victims


def _victims(
    trie: Trie, dialect: Dialect, component: Component, busy: Pages, gone: Pages = ()
) -> Iterable[Page]:
    """What may go, in order. Under write_back duplicates first, device leaves last of them; without an order, ``gone`` first."""
    pool = HOST[component]
    if component is not Component.FULL:
        yield from (
            page
            for page in trie.host_only[component]
            if page.cut and not page.locked_in(pool) and page not in busy
        )
        return
    if trie.config.write_back and dialect.duplicates_on_host:
        spare = sorted(
            (page for page in trie.on_both if _is_spare(page, busy)), key=lambda page: page.used
        )
        ordered = in_order(spare, trie.config.eviction_policy)
        yield from sorted(
            ordered,
            key=lambda page: (
                is_device_leaf(page),
                not dialect.duplicates_in_order and page not in gone,
            ),
        )
    if trie.host_only[0]:
        yield from in_order(
            (page for page in trie.recency if is_host_leaf(page)), trie.config.eviction_policy
        )


def _is_spare(end: Page, busy: Pages) -> bool:
    """A node that is on both tiers, and whose host copy nothing needs (semantics 7.9)."""
    return end.cut and not any(page.host_locked or page in busy for page in end.node())


def take_off_host(trie: Trie, end: Page, component: Component, whole: bool = True) -> Amounts:
    """Delete a host leaf, if ``whole``; of another node drop the host value of a component, with SWA that of MAMBA (7.6)."""
    before = [trie.free(pool) for pool in HOST]
    if whole and is_host_leaf(end):
        trie.delete(end.node())
    else:
        pools = HOST[1:] if component is Component.SWA else (HOST[component],)
        for page in end.node():
            for pool in pools:
                trie.drop(page, pool)
    full, swa, mamba = (trie.free(pool) - free for pool, free in zip(HOST, before, strict=True))
    return full, swa, mamba

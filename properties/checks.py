"""The properties of one step, on what it touched: each check is a function from what was seen to the breaches it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from radixproof.impl.system import System
from radixproof.model.cache import Backup, Cache
from radixproof.model.config import Component, Pool
from radixproof.model.observation import Observation
from radixproof.model.operations import Insert, Lock, Match, RunCopies, Unlock, WritingCheck
from radixproof.model.trie import Page, spell
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.mirror import Delta, Mirror, Placed
from radixproof.properties.step import Step

STILL = (Match, Lock, Unlock, RunCopies, WritingCheck)
"""Operations after which every page is where it was (STUTTER)."""


def pinned(model: Cache, step: Step, delta: Delta) -> list[Breach]:
    """PIN and STUTTER: locked pages and pages in flight keep their slots, and quiet operations move nothing."""
    breaches = []
    for page, pool in delta.moved:
        if page.held(pool.component) and not pool.on_host:
            text = f"{spell([page])} is locked, but its {pool.name} slots were freed and replaced by others"
            witness = Witness(page.key(), pool, kept=True)
            breaches.append(Breach(Property.PIN, f"{pool.name.lower()}-replaced", text, witness))
    for pool in (Pool.FULL, Pool.SWA):
        taken = [page for page in delta.gone[pool] if page.held(pool.component)]
        if taken:
            text = f"{spell(taken[:1])} is locked, but {step.operation} took it from {pool.name}"
            breaches.append(Breach(Property.PIN, f"{pool.name.lower()}-evicted", text, Witness(taken[0].key(), pool, held=True)))
    for backup in model.in_flight:
        for pool in (Pool.FULL_HOST, Pool.SWA_HOST):
            if any(page in delta.gone[pool] or (page, pool) in delta.moved for page in backup.node):
                text = f"{spell(backup.node)} is being backed up, but its {pool.name} slots were freed"
                breaches.append(Breach(Property.PIN, "target-freed", text))
    if isinstance(step.operation, STILL) and not delta.still:
        breaches.append(Breach(Property.STUTTER, step.operation.name, f"{step.operation} changed what is held where"))
    return breaches


def residency(model: Cache, mirror: Mirror, step: Step, delta: Delta) -> list[Breach]:
    """The pages the step touched are held where the model says. Where they are not, the model gives in."""
    differ = [page for placed in delta.placed for page in placed.pages if page.held_in != placed.held_in]
    seen = {page for placed in delta.placed for page in placed.pages}
    for pages in (model.trie.changed, *delta.gone):
        differ += [page for page in pages if page not in seen and page.held_in != mirror.held_in(page)]
    if not differ:
        return []
    wrong: dict[tuple[Pool, bool], list[Page]] = {}
    for page in dict.fromkeys(differ):
        there = mirror.held_in(page)
        for pool in mirror.config.pools:
            if there[pool] != page.has(pool):
                wrong.setdefault((pool, page.has(pool)), []).append(page)
    breaches = [_misplaced(step, pool, expected, pages, delta) for (pool, expected), pages in sorted(wrong.items())]
    for page in dict.fromkeys(differ):
        _give_in(model, mirror, page)
    return breaches


def _give_in(model: Cache, mirror: Mirror, page: Page) -> None:
    there = mirror.held_in(page)
    for pool in mirror.config.pools:
        if there[pool]:
            model.trie.put(page, pool)
        else:
            model.trie.drop(page, pool)
    if not any(there):
        while page.parent is not None and not page.children and not any(page.held_in) and not page.locked:
            above = page.parent
            if above.children.get(page.tokens) is page:
                model.trie.remove(page)
            page = above
    elif page not in model.trie.order:
        model.trie.touch([page])


def shape(mirror: Mirror, delta: Delta) -> list[Breach]:
    """DEVPATH and BACKUP around every node that the step reshaped, as the system shows them."""
    breaches = []
    for placed in delta.reshaped:
        full, _, host, _ = placed.view.slots
        if full is None and host is None:
            breaches.append(Breach(Property.DEVPATH, "dead-node", f"{spell(placed.pages)} is on neither tier"))
        above = mirror.nodes.get(placed.view.parent)
        if above is not None:
            breaches += _orphan(above, placed)
        for page in placed.pages[-1].children.values():
            if page in mirror.node_of:
                breaches += _orphan(placed, mirror.nodes[mirror.node_of[page]])
    return breaches


def _orphan(above: Placed, below: Placed) -> Iterator[Breach]:
    for pool, broken in ((Pool.FULL, Property.DEVPATH), (Pool.FULL_HOST, Property.BACKUP)):
        if below.view.slots[pool] is not None and above.view.slots[pool] is None:
            yield Breach(
                broken, "parent-missing", f"{spell(below.pages)} is in {pool.name}, its parent {spell(above.pages)} is not"
            )


def locks(model: Cache, mirror: Mirror, delta: Delta) -> list[Breach]:
    """LOCK: every page the step touched is locked by exactly the receipts and backups that the model knows."""
    node_of = mirror.node_of
    nodes = {placed.view.id: placed for placed in delta.placed}
    for page in model.trie.changed:
        if page in node_of and node_of[page] not in nodes:
            nodes[node_of[page]] = mirror.nodes[node_of[page]]
    for placed in nodes.values():
        full, swa = placed.view.locks
        for page in placed.pages:
            if len(page.holders[0]) != full or len(page.holders[1]) != swa:
                return [_wrong_lock(page, placed.view.locks)]
    return []


def _wrong_lock(page: Page, seen: tuple[int, int]) -> Breach:
    component = next(component for component in Component if len(page.holders[component]) != seen[component])
    names = page.holders[component]
    held = f"held by {', '.join(sorted(names))}" if names else "not held by anyone"
    text = f"{spell([page])} is {held}, but its {component.name} lock count is {seen[component]}"
    kind = "too-many" if seen[component] > len(names) else "too-few"
    return Breach(Property.LOCK, f"{component.name.lower()}-{kind}", text, Witness(page.key(), Pool(component), locks=len(names)))


def sizes(mirror: Mirror, seen: Observation) -> list[Breach]:
    """SIZE, and the countable half of OWN and OWN-H: free and owned slots add up to the pool."""
    breaches = []
    for component in mirror.config.components:
        shown = (seen.evictable[component], seen.protected[component])
        actual = (mirror.unlocked[component], mirror.locked[component])
        if shown != actual:
            text = (
                f"{component.name}: the cache says {shown[0]} evictable and {shown[1]} protected tokens, "
                f"its nodes hold {actual[0]} unlocked and {actual[1]} locked"
            )
            breaches.append(Breach(Property.SIZE, component.name.lower(), text))
    for pool in mirror.config.pools:
        owned, free, total = len(mirror.owned[pool]), seen.free[pool], mirror.model.trie.totals[pool]
        if owned + free != total:
            kind = Property.OWN_H if pool.on_host else Property.OWN
            rule = "lost" if owned + free < total else "too-many"
            text = f"{pool.name}: {owned} slots are owned by nodes and {free} are free, of {total}"
            breaches.append(Breach(kind, f"{pool.name.lower()}-{rule}", text))
    return breaches


def swa_map(mirror: Mirror, delta: Delta, system: System) -> list[Breach]:
    """MAP: the map names the SWA slots of every node the step touched, and nothing for a tombstone."""
    if mirror.config.window is None:
        return []
    full: list[int] = []
    expected: list[int] = []
    for placed in delta.reshaped:
        slots = placed.view.slots[Pool.FULL]
        if slots is not None:
            full += slots
            expected += placed.view.slots[Pool.SWA] or (0,) * len(slots)
    found = system.swa_of(full) if full else []
    if found == expected:
        return []
    slot, wanted, seen = next(item for item in zip(full, expected, found, strict=True) if item[1] != item[2])
    what = f"SWA slot {wanted}" if wanted else "no SWA state"
    text = f"FULL slot {slot} belongs to a node with {what}, but the map says {seen or 'none'}"
    return [Breach(Property.MAP, "entry" if wanted else "stale", text)]


def arrived(mirror: Mirror, delta: Delta, system: System) -> list[Breach]:
    """CONTENT of what came to the device in this step."""
    breaches = []
    for pool in mirror.config.pools:
        if not pool.on_host and (delta.gained[pool] or delta.moved):
            pages = [*delta.gained[pool], *(page for page, moved in delta.moved if moved is pool)]
            breaches += compare_content(mirror, pool, pages, system)
    return breaches


def copied(mirror: Mirror, ran: Sequence[Backup], system: System) -> list[Breach]:
    """CONTENT of the host copies whose bytes moved in this step."""
    pages = [page for backup in ran for page in backup.node]
    return [breach for pool in mirror.config.pools if pool.on_host for breach in compare_content(mirror, pool, pages, system)]


def served(mirror: Mirror, step: Step, end: Page) -> list[Breach]:
    """CONTENT of what a match serves: the slots of the nodes on its path, whose bytes are known."""
    if list(step.slots) == mirror.path_slots(end, Pool.FULL):
        return []
    text = f"{step.operation} was served slots {list(step.slots)}, which are not those of the nodes on its path"
    return [Breach(Property.CONTENT, "served", text)]


def compare_content(mirror: Mirror, pool: Pool, pages: Iterable[Page], system: System) -> list[Breach]:
    """Compare the bytes of pages in one pool with what they must be."""
    size = mirror.config.page_size
    slots: list[int] = []
    tags: list[int] = []
    for page in pages:
        node = mirror.node_of.get(page)
        if node is not None:
            placed = mirror.nodes[node]
            held, at = placed.view.slots[pool], page.end - placed.pages[0].end
            if held is not None:
                slots += held[at : at + size]
                tags += placed.tags[at : at + size]
    return _wrong_bytes(pool, slots, tags, system)


def refused(model: Cache, step: Step) -> list[Breach]:
    """PROGRESS of the allocator: what is free can be had."""
    free = min(model.trie.free(pool) for pool in model.config.pools if not pool.on_host)
    if free < step.refused:
        return []
    return [Breach(Property.PROGRESS, "allocation-refused", f"{step.refused} tokens were refused, but {free} are free")]


def quiet(model: Cache, seen: Observation) -> list[Breach]:
    """QUIESCE: with no receipt out and no copy in flight, nothing is protected."""
    if not model.receipts and any(seen.protected):
        return [Breach(Property.QUIESCE, "protected", f"nothing holds a lock, but protected sizes are {seen.protected}")]
    return []


def _misplaced(step: Step, pool: Pool, expected: bool, pages: list[Page], delta: Delta) -> Breach:
    """A difference between model and system, named by what it means for the one who relies on the cache."""
    held = [page for page in pages if page.held(pool.component) and page in delta.gone[pool]] if not pool.on_host else []
    page = (held or pages)[0]
    rule = "lost" if expected else "unexpected"
    if held:
        violates, rule = Property.PIN, "evicted"
        text = f"{spell([page])} is locked, but {step.operation} took it from {pool.name}"
    elif expected:
        inserting = isinstance(step.operation, Insert) and not pool.on_host
        violates, rule = (Property.MATCH, "not-inserted") if inserting else (Property.PROGRESS, "lost")
        text = f"after {step.operation}, {spell([page])} should be in {pool.name} and is not"
    else:
        violates = Property.BACKUP if pool.on_host else Property.MATCH
        text = f"after {step.operation}, {spell([page])} is in {pool.name} and should not be"
    return Breach(violates, f"{pool.name.lower()}-{rule}", text, Witness(page.key(), pool, held=expected))


def _wrong_bytes(pool: Pool, slots: list[int], tags: list[int], system: System) -> list[Breach]:
    found = system.read(pool, slots) if slots else []
    if found == tags:
        return []
    slot, tag, seen = next(item for item in zip(slots, tags, found, strict=True) if item[1] != item[2])
    what = "torn (layers or heads disagree)" if seen < 0 else f"the content of prefix {seen}"
    text = f"{pool.name} slot {slot} should hold the content of prefix {tag}, it holds {what}"
    return [Breach(Property.CONTENT, pool.name.lower(), text)]

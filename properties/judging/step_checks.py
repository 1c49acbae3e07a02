"""The properties of one step, on what it touched: each check is a function from what was seen to
the breaches it shows.

What a check needs beyond nodes and residency is declared in `applicable`: it is made for the pools
that are `Applicable` to it, and for no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from radixproof.impl.observation import NodeView, Observation
from radixproof.impl.operations import (
    Evict,
    EvictHost,
    HostInsert,
    Insert,
    LoadBack,
    ReleaseWindow,
    Reset,
)
from radixproof.impl.system import Complete
from radixproof.model.config import DEVICE, HOST, Pool
from radixproof.model.following.choice import met_refusal
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Holder, Page
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.judging.abstraction import Abstraction, Delta, Placed
from radixproof.properties.judging.applicable import Applicable, shown
from radixproof.properties.performing.outcomes import Crashed
from radixproof.properties.performing.step import CopyState, Step

MOVING = (Insert, HostInsert, ReleaseWindow, Evict, EvictHost, LoadBack, CopyState, Reset)
"""Operations after which pages may be elsewhere; after any other every page is where it was
(STUTTER).
"""

DIVERGED = {"Diverged": "diverged", "CoresDiffer": "cores-differ"}
"""Errors of replicas that are not the same, with the names that they have in reports."""


def crashed(step: Step, crash: Crashed) -> Breach:
    """NOCRASH, and RANK, which is raised where ranks are compared."""
    if crash.error in DIVERGED:
        apart = crash.message.removeprefix(f"{step.operation.name}: ")
        return Breach(Property.RANK, DIVERGED[crash.error], f"{step.operation}: {apart}")
    return Breach(Property.NOCRASH, f"{crash.error}@{crash.where}", f"{step.operation}: {crash}")


def pinned(model: Cache, step: Step, delta: Delta, own: Holder | None) -> list[Breach]:
    """PIN and STUTTER: locked pages and pages in flight keep their slots, and quiet
    operations move nothing. ``own`` is the lock that the operation itself holds.
    """
    breaches = []
    for page, pool in delta.moved:
        if page.locked_in(pool):
            text = (
                f"{spell([page])} is locked by {_holders(page, pool)}, but its {pool.name} slots "
                "were freed and replaced by others"
            )
            breaches.append(_replaced(Property.PIN, page, pool, text))
        elif not pool.on_host and not _may_be_replaced(page, pool, step, delta):
            text = f"{step.operation} gave {spell([page])} other {pool.name} slots than it had"
            breaches.append(_replaced(Property.STUTTER, page, pool, text))
    for pool in model.config.pools:
        taken = [page for page in delta.gone[pool] if page.locked_in(pool)]
        if taken:
            text = _freed(taken[0], pool, step)
            rule = _who_lost(taken[0], pool, own)
            witness = Witness(taken[0].key(), pool, held=True)
            breaches.append(Breach(Property.PIN, rule, text, witness))
    for copy in model.copies.flying:
        for pool, pages in copy.targets.items():
            freed = _first_freed(pages, pool, delta)
            if freed is not None:
                text = f"{spell(pages)} is being copied there, but its {pool.name} slots were freed"
                rule = "host-target-freed" if pool.on_host else "target-freed"
                breaches.append(Breach(Property.PIN, rule, text, freed))
        for pool, pages in copy.targets.items() if copy.load and not copy.complete else ():
            freed = _first_freed(pages, HOST[pool], delta)
            if freed is not None:
                text = (
                    f"{spell(pages)} is being loaded back from slots in {HOST[pool].name} "
                    "that were freed"
                )
                breaches.append(Breach(Property.PIN, "source-freed", text, freed))
    if not delta.still and not isinstance(step.operation, MOVING):
        breaches.append(
            Breach(
                Property.STUTTER,
                step.operation.name,
                f"{step.operation} changed what is held where",
            )
        )
    return breaches


def _replaced(violates: Property, page: Page, pool: Pool, text: str) -> Breach:
    witness = Witness(page.key(), pool, kept=True)
    return Breach(violates, f"{pool.name.lower()}-replaced", text, witness)


def _may_be_replaced(page: Page, pool: Pool, step: Step, delta: Delta) -> bool:
    """Whether the slots of a page may be exchanged: an insert may give it other FULL slots together
    with the SWA that it lacks (semantics 4.1). Operations that move nothing are told of at once.
    """
    if not isinstance(step.operation, MOVING):
        return True
    recovers = isinstance(step.operation, Insert) and page in delta.gained[Pool.SWA]
    return pool is Pool.FULL and recovers


def _who_lost(page: Page, pool: Pool, own: Holder | None) -> str:
    """Whether it was somebody else, or the operation what it was about to read."""
    if pool.on_host and set(page.holders[pool]) == {own}:
        return "own-source-evicted"
    return f"{pool.name.lower()}-evicted"


def _first_freed(pages: Iterable[Page], pool: Pool, delta: Delta) -> Witness | None:
    """A page whose slots in a pool the step freed."""
    for page in pages:
        if page in delta.gone[pool]:
            return Witness(page.key(), pool, held=True)
        if (page, pool) in delta.moved:
            return Witness(page.key(), pool, kept=True)
    return None


def residency(model: Cache, abstraction: Abstraction, step: Step, delta: Delta) -> list[Breach]:
    """The pages the step touched are held where the model says. Where they are not, the model
    adopts what was seen.
    """
    differ: list[Page] = []
    seen: set[Page] = set()
    for placed in delta.placed:
        *above, last = placed.pages
        differ += [page for page in above if page.resident_in != placed.above_end]
        if last.resident_in != placed.resident_in:
            differ.append(last)
        seen.update(placed.pages)
    for pages in (model.trie.changed, *delta.gone):
        differ += [
            page
            for page in pages
            if page not in seen and page.resident_in != abstraction.resident_in(page)
        ]
    if not differ:
        return []
    wrong: dict[tuple[Pool, bool], list[Page]] = {}
    for page in dict.fromkeys(differ):
        there = abstraction.resident_in(page)
        for pool in abstraction.config.pools:
            if there[pool] != page.has(pool) and not _comes_along(page, pool, there):
                wrong.setdefault((pool, page.has(pool)), []).append(page)
    breaches = [
        _misplaced(step, pool, expected, pages, delta)
        for (pool, expected), pages in sorted(wrong.items())
    ]
    for page in dict.fromkeys(differ):
        model.adopt(page, abstraction.resident_in(page))
    return breaches


def shape(abstraction: Abstraction, delta: Delta) -> list[Breach]:
    """DEVPATH and BACKUP around every node that the step reshaped, as the system shows them."""
    breaches = []
    for placed in delta.reshaped:
        slots = placed.view.slots
        if slots[Pool.FULL] is None and slots[Pool.FULL_HOST] is None:
            breaches.append(
                Breach(Property.DEVPATH, "dead-node", f"{spell(placed.pages)} is on neither tier")
            )
        tiers = (DEVICE,) if abstraction.config.write_back else (DEVICE, HOST)
        for full, *others in tiers:
            for pool in others:
                if slots[pool] is not None and slots[full] is None:
                    text = f"{spell(placed.pages)} is in {pool.name}, but not in {full.name}"
                    breaches.append(Breach(Property.DEVPATH, "value-without-full", text))
        above = abstraction.nodes.get(placed.view.parent)
        if above is not None:
            breaches += _orphan(above, placed, abstraction.config.write_back)
        for page in placed.pages[-1].children.values():
            if page in abstraction.node_of:
                breaches += _orphan(
                    placed,
                    abstraction.nodes[abstraction.node_of[page]],
                    abstraction.config.write_back,
                )
    return breaches


def _orphan(above: Placed, below: Placed, write_back: bool) -> Iterator[Breach]:
    """A node on a tier where its parent is missing. Under write_back the host has no such rule
    (semantics 1.4).
    """
    for pool, broken in ((Pool.FULL, Property.DEVPATH), (Pool.FULL_HOST, Property.BACKUP)):
        if (
            below.view.slots[pool] is not None
            and above.view.slots[pool] is None
            and not (write_back and pool.on_host)
        ):
            yield Breach(
                broken,
                "parent-missing",
                f"{spell(below.pages)} is in {pool.name}, "
                f"but its parent {spell(above.pages)} is not",
            )


def locks(judged: Applicable, nodes: Iterable[Placed], step: Step) -> list[Breach]:
    """LOCK: every page the step touched is locked by exactly the receipts and copies
    that the model knows.
    """
    if not judged.locks:
        return []
    for placed in nodes:
        counts = lock_counts(judged, placed.view)
        for pool in judged.locks:
            count = counts[pool]
            for page in placed.pages_in(pool):
                if len(page.holders[pool]) != count:
                    return [_wrong_lock(page, pool, count, step)]
    return []


def touched(model: Cache, abstraction: Abstraction, delta: Delta) -> Collection[Placed]:
    """Nodes that a step changed, and those of pages that it changed in the model."""
    nodes = {placed.view.id: placed for placed in delta.placed}
    for page in model.trie.changed:
        node = abstraction.node_of.get(page)
        if node is not None and node not in nodes:
            nodes[node] = abstraction.nodes[node]
    return nodes.values()


def marks(judged: Applicable, model: Cache, nodes: Iterable[Placed]) -> Iterator[Breach]:
    """A node is marked as being backed up, or loaded back, exactly while it is."""
    for pool, load, words in (
        (Pool.FULL_HOST, False, "backed up"),
        (Pool.FULL, True, "loaded back"),
    ):
        if pool not in judged.marks:
            continue
        flying = {page for copy in model.copies.flying if copy.load == load for page in copy.node}
        for placed in nodes:
            marked = placed.view.loading if load else placed.view.pending
            busy = not flying.isdisjoint(placed.pages)
            if marked and not busy:
                yield _stray_mark(model, placed, words)
            if busy and not marked and pool in judged.all_marks:
                text = (
                    f"{spell(placed.pages)} is being {words}, but it is not marked, so that "
                    "nothing keeps it as it is"
                )
                yield Breach(Property.PIN, "unmarked", text)


def not_awaited(step: Step, placed: Placed) -> Breach:
    """PROGRESS: an eviction has not waited for the backups that inserts have started (7.8)."""
    text = f"{step.operation} took something, and did not wait for the backup of"
    return Breach(
        Property.PROGRESS, "write-back-not-awaited", f"{text} {spell(placed.pages)} in flight"
    )


def _stray_mark(model: Cache, placed: Placed, words: str) -> Breach:
    """A node is marked though nothing of it is in flight; what has left the device under write_back
    left before its copy was made (semantics 7.8).
    """
    if model.config.write_back and not placed.resident_in[Pool.FULL]:
        text = f"{spell(placed.pages)} left the device while its backup is still in flight"
        return Breach(Property.PROGRESS, "write-back-not-awaited", text)
    text = f"{spell(placed.pages)} is marked as being {words}, but nothing of it is in flight"
    return Breach(Property.QUIESCE, "mark", text)


def lock_counts(judged: Applicable, view: NodeView) -> tuple[int, ...]:
    """Lock counts of a node per `Pool`, where they are shown; zeros elsewhere."""
    device, host = view.locks, view.host_locks
    if device is not None and host is not None:
        return device + host
    if any(not pool.on_host for pool in judged.locks):
        shown(device, "lock counts on the device")
    if any(pool.on_host for pool in judged.locks):
        shown(host, "lock counts on the host")
    return (*(device or (0, 0, 0)), *(host or (0, 0, 0)))


def _wrong_lock(page: Page, pool: Pool, seen: int, step: Step) -> Breach:
    """A breach of a lock that somebody has; a copy of a state takes one for a moment (3.6)."""
    names = page.holders[pool]
    held = f"held by {_holders(page, pool)}" if names else "not held by anyone"
    text = f"{spell([page])} is {held}, but its {pool.name} lock count is {seen}"
    kind = "too-many" if seen > len(names) else "too-few"
    kind += "-after-copy" if isinstance(step.operation, CopyState) else ""
    return Breach(
        Property.LOCK,
        f"{pool.name.lower()}-{kind}",
        text,
        Witness(page.key(), pool, locks=len(names)),
    )


def _freed(page: Page, pool: Pool, step: Step) -> str:
    """What a step did to a page that somebody has locked."""
    who = f"{spell([page])} is locked by {_holders(page, pool)}"
    return f"{who}, but {step.operation} freed its {pool.name} slots"


def _holders(page: Page, pool: Pool) -> str:
    """Who locks a page in a pool."""
    return ", ".join(sorted(map(str, page.holders[pool])))


def sizes(
    judged: Applicable, model: Cache, abstraction: Abstraction, seen: Observation
) -> list[Breach]:
    """SIZE, and the countable half of OWN and OWN-H: free and owned slots add up to the pool."""
    breaches = []
    if judged.sizes:
        all_evictable = shown(seen.evictable, "evictable sizes")
        all_protected = shown(seen.protected, "protected sizes")
    for at in judged.sizes:
        component = at.component
        evictable, protected = all_evictable[component], all_protected[component]
        if at in judged.locks:
            held = abstraction.unlocked[component], abstraction.locked[component]
        else:
            held = _held_by_the_model(model, at)
        if (evictable, protected) != held:
            text = (
                f"{component.name}: the cache says {evictable} evictable and {protected} "
                "protected tokens, "
                f"its nodes hold {held[0]} unlocked and {held[1]} locked"
            )
            breaches.append(Breach(Property.SIZE, component.name.lower(), text))
    counts = shown(seen.free, "counts of free slots") if judged.free_counts else ()
    for pool in judged.free_counts:
        owned = len(abstraction.owned[pool]) + len(abstraction.ledger.rows[pool])
        free, total = counts[pool], abstraction.config.slots(pool)
        if owned + free != total:
            kind = Property.OWN_H if pool.on_host else Property.OWN
            rule = "lost" if owned + free < total else "too-many"
            text = (
                f"{pool.name}: {owned} slots are owned by nodes and requests and {free} are "
                f"free, of {total}"
            )
            breaches.append(Breach(kind, f"{pool.name.lower()}-{rule}", text))
    return breaches


def _held_by_the_model(model: Cache, pool: Pool) -> tuple[int, int]:
    """Slots of a device pool that are unlocked and locked by the model's receipts: for systems that
    show no locks.
    """
    pages = model.trie.recency_in[pool]
    locked = sum(page.locked_in(pool) for page in pages)
    unit = model.config.unit(pool)
    return (len(pages) - locked) * unit, locked * unit


def swa_map(
    judged: Applicable, abstraction: Abstraction, delta: Delta, system: Complete
) -> list[Breach]:
    """MAP: the map names the SWA slots of every node the step touched, and nothing for
    a tombstone.
    """
    if not judged.map:
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
    slot, wanted, seen = next(
        item for item in zip(full, expected, found, strict=True) if item[1] != item[2]
    )
    what = f"SWA slot {wanted}" if wanted else "no SWA state"
    text = f"FULL slot {slot} belongs to a node with {what}, but the map says {seen or 'none'}"
    return [Breach(Property.MAP, "entry" if wanted else "stale", text)]


def allocation_refused(model: Cache, step: Step) -> list[Breach]:
    """PROGRESS of the allocators: what is free can be allocated."""
    told = model.refusing.intersection(pool for pool, _ in step.refused)
    breaches = no_room(model, step.refused)
    if all(model.trie.free(pool) >= count for pool, count in step.refused):
        met_refusal(model, told)
    return breaches


def no_room(model: Cache, wanted: Sequence[tuple[Pool, int]]) -> list[Breach]:
    """An allocation failed: rightly if too little was free, or if it was made to."""
    if any(model.trie.free(pool) < count or pool in model.refusing for pool, count in wanted):
        return []
    text = " and ".join(
        f"{count} of {model.trie.free(pool)} free {pool.name} slots" for pool, count in wanted
    )
    return [Breach(Property.PROGRESS, "allocation-refused", f"an allocation of {text} was refused")]


def quiet(judged: Applicable, model: Cache, seen: Observation) -> list[Breach]:
    """QUIESCE: with no receipt out and no copy in flight, nothing is protected."""
    if judged.sizes and not model.receipts and any(shown(seen.protected, "protected sizes")):
        return [
            Breach(
                Property.QUIESCE,
                "protected",
                f"nothing holds a lock, but protected sizes are {seen.protected}",
            )
        ]
    return []


def _comes_along(page: Page, pool: Pool, there: Sequence[bool]) -> bool:
    """SWA, or a state, is in a pool in which the page should not be at all: FULL says so."""
    full = Pool.FULL_HOST if pool.on_host else Pool.FULL
    return pool is not full and there[pool] and there[full] and not page.has(full)


def _misplaced(step: Step, pool: Pool, expected: bool, pages: list[Page], delta: Delta) -> Breach:
    """A difference between model and system, named by what it means for those who rely
    on the cache.
    """
    held = [page for page in pages if page.locked_in(pool) and page in delta.gone[pool]]
    page = (held or pages)[0]
    rule = "lost" if expected else "unexpected"
    if held:
        violates, rule = Property.PIN, "evicted"
        text = _freed(page, pool, step)
    elif expected:
        inserting = isinstance(step.operation, Insert) and not pool.on_host
        violates, rule = (
            (Property.MATCH, "not-inserted") if inserting else (Property.PROGRESS, "lost")
        )
        text = f"after {step.operation}, {spell([page])} should be in {pool.name} and is not"
    else:
        violates = Property.BACKUP if pool.on_host else Property.MATCH
        text = f"after {step.operation}, {spell([page])} is in {pool.name} and should not be"
    return Breach(
        violates, f"{pool.name.lower()}-{rule}", text, Witness(page.key(), pool, held=expected)
    )

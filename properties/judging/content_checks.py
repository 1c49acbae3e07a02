"""Checks of what slots hold: CONTENT of what a step brought, copied, computed and served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from radixproof.impl.operations import HostInsert, Insert
from radixproof.impl.system import Complete
from radixproof.model.config import DEVICE, HOST, Pool
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.judging import carried_checks
from radixproof.properties.judging.abstraction import Abstraction, Delta
from radixproof.properties.judging.applicable import Applicable
from radixproof.properties.judging.forgotten import Late, twin
from radixproof.properties.performing.ledger import ContentTags
from radixproof.properties.performing.step import Step


def arrived(
    judged: Applicable,
    model: Cache,
    abstraction: Abstraction,
    step: Step,
    delta: Delta,
    system: Complete,
) -> list[Breach]:
    """CONTENT of what arrived in a pool in this step, unless a copy in flight has yet
    to bring it.
    """
    breaches = []
    for pool in judged.content:
        if delta.gained[pool] or delta.moved:
            coming = _coming(model, pool)
            pages = [*delta.gained[pool], *(page for page, other in delta.moved if other is pool)]
            breaches += compare_content(
                abstraction, pool, [page for page in pages if page not in coming], system
            )
    if isinstance(step.operation, HostInsert):
        return [replace(breach, rule="fetched") for breach in breaches]
    if isinstance(step.operation, Insert) and step.carried is not None:
        return carried_checks.of_state(model.config, step.operation, step.carried, breaches)
    return breaches


def copied(
    judged: Applicable, abstraction: Abstraction, ran: Sequence[Copy], system: Complete
) -> list[Breach]:
    """CONTENT of what was copied in this step."""
    pages: dict[Pool, list[Page]] = {}
    for copy in ran:
        for pool, written in copy.targets.items():
            pages.setdefault(pool, []).extend(written)
    return [
        breach
        for pool, written in pages.items()
        if pool in judged.content
        for breach in compare_content(abstraction, pool, written, system)
    ]


def computed(
    judged: Applicable, model: Cache, abstraction: Abstraction, system: Complete
) -> list[Breach]:
    """CONTENT of what is in the slots that a forward pass has written, now that it has run."""
    forward = abstraction.ledger.forward
    assert forward is not None
    breaches: list[Breach] = []
    for pool in judged.content:
        written = set(forward.slots.get(pool, ()))
        pages = [
            page
            for page in (model.trie.recency if written else ())
            if page.has(pool) and not written.isdisjoint(abstraction.slots_of(page, pool) or ())
        ]
        coming = _coming(model, pool)
        pages = [page for page in pages if page not in coming]
        breaches += compare_content(abstraction, pool, pages, system)
    return breaches


def served(abstraction: Abstraction, step: Step, end: Page) -> list[Breach]:
    """CONTENT of what a match serves: the slots of the nodes on its path, whose bytes are known."""
    if list(step.slots) == abstraction.path_slots(end, Pool.FULL):
        return []
    text = (
        f"{step.operation} was served slots {list(step.slots)}, which are not those of the "
        "nodes on its path"
    )
    return [Breach(Property.CONTENT, "served", text)]


def state(
    tags: ContentTags, source: Page, best: Page, step: Step, system: Complete
) -> list[Breach]:
    """CONTENT of a state that a request took a copy of: that of its ``source``, and not of the
    ``best`` match, which may be on the host, or be for a longer prefix (semantics 3.6).
    """
    slots = list(step.slots)
    wanted = _end_of(tags, source)  # by the rules there may be no state to copy
    breaches = _wrong_bytes(Pool.MAMBA, slots, wanted, system, tags)
    if not breaches or best is source:
        return breaches
    if system.read(Pool.MAMBA, slots) not in ([0], _end_of(tags, best)):
        return breaches
    why = f", as if it were to begin with {spell(best.node())}"
    return [replace(one, rule="state-of-best", text=one.text + why) for one in breaches]


def _end_of(tags: ContentTags, page: Page) -> list[int]:
    """The tag of what a page ends with; 0 for the root."""
    units = [unit for above in page.path() for unit in above.tokens]
    return tags.of(page.namespace, 0, units)[-1:] or [0]


def compare_content(
    abstraction: Abstraction, pool: Pool, pages: Iterable[Page], system: Complete
) -> list[Breach]:
    """Compare the bytes of pages in one pool with what they must be."""
    forward = abstraction.ledger.forward
    coming = forward.slots.get(pool, ()) if forward is not None and forward.in_flight else ()
    slots: list[int] = []
    tags: list[int] = []
    read: list[Page] = []
    for page in pages:
        held, wanted = abstraction.content(page, pool)
        if held and not (coming and any(slot in coming for slot in held)):
            slots += held
            tags += wanted
            read.append(page)
    return _wrong_bytes(pool, slots, tags, system, abstraction.tags, read, abstraction)


def _coming(model: Cache, pool: Pool) -> set[Page]:
    """Pages that a copy in flight has yet to bring there."""
    return {
        page
        for copy in model.copies.flying
        if not copy.complete
        for page in copy.targets.get(pool, ())
    }


def _wrong_bytes(
    pool: Pool,
    slots: list[int],
    wanted: list[int],
    system: Complete,
    tags: ContentTags,
    pages: Sequence[Page] = (),
    abstraction: Abstraction | None = None,
) -> list[Breach]:
    """A breach if slots do not hold what is wanted, by its ``tags``; ``pages``, if given, are
    theirs, and the ``abstraction`` knows what may have come there instead.
    """
    found = system.read(pool, slots) if slots else []
    if found == wanted:
        return []
    at = next(at for at in range(len(slots)) if found[at] != wanted[at])
    slot, tag, seen = slots[at], wanted[at], found[at]
    what = "torn content (layers or heads disagree)" if seen < 0 else tags.named(seen)
    wrong = f"should hold {tags.named(tag)}, it holds {what}"
    if abstraction is None:
        text = f"{pool.name} slot {slot}, the request's own, {wrong}"
        return [Breach(Property.CONTENT, pool.name.lower(), text)]
    page = pages[at * len(pages) // len(slots)]
    rule, why = _cause(abstraction, system, pool, page, slot, tag, seen)
    text = f"{pool.name} slot {slot} of {spell(page.node())} {wrong}{why}"
    return [Breach(Property.CONTENT, rule, text, Witness(page.key(), pool, content=True))]


def _cause(
    abstraction: Abstraction,
    system: Complete,
    pool: Pool,
    page: Page,
    slot: int,
    tag: int,
    seen: int,
) -> tuple[str, str]:
    """The rule by which a slot of a page holds what is ``seen`` there, and not its ``tag``; and how
    that came about, if it is known (semantics 11.6, 12.1).
    """
    ledger = abstraction.ledger
    late = (DEVICE[pool.component], tag) in ledger.overtaken
    late = late and (pool.on_host or not _is_right_on_host(abstraction, system, pool, page, tag))
    if not (late and seen < 0) and ledger.wrote(pool, slot, seen, tag):
        why = "; a forward pass that was launched before the slot was freed wrote there"
        return "loaded-before-computed", why
    brought = _brought(abstraction, pool, page, slot, tag)
    if late and (brought is None or (pool.on_host and not brought.brings(system, seen))):
        why = "; copies to the host ran while the forward pass that computes it was in flight"
        return "copied-before-computed", why
    if brought is not None:
        return (
            "written-after-reset",
            "; a copy that was in flight at a reset was still to write there",
        )
    return pool.name.lower(), ""


def _is_right_on_host(
    abstraction: Abstraction, system: Complete, pool: Pool, page: Page, tag: int
) -> bool:
    """Whether the host has what a page should hold on the device, so that it was not copied there
    too early.
    """
    host = HOST[pool.component]
    if host in abstraction.nameless:
        return False
    slots = [
        slot
        for slot, wanted in zip(*abstraction.content(page, host), strict=False)
        if wanted == tag
    ]
    return bool(slots) and system.read(host, slots) == [tag]


def _brought(abstraction: Abstraction, pool: Pool, page: Page, slot: int, tag: int) -> Late | None:
    """What a copy that a reset has forgotten was still to write to a slot, or to that of the other
    tier which it was copied from, or to (semantics 12.1); None if there is no such copy.
    """
    elsewhere = twin(pool)
    held, tags = abstraction.content(page, elsewhere)
    other = dict(zip(tags, held, strict=False)).get(tag)
    if other is None:
        other = abstraction.ledger.overtaken.get((elsewhere, tag))
    there = None if other is None else abstraction.forgotten[elsewhere].get(other)
    return abstraction.forgotten[pool].get(slot) if there is None else there

"""EVENT: a consumer of the cache's event stream must end up knowing exactly what is cached where.

Checked for systems whose sight declares events; beyond those it needs only nodes and residency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import TypeAlias

from radixproof.impl.observation import Event
from radixproof.model.config import Pool
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.abstraction import Abstraction, Delta

TIERS = (Pool.FULL, Pool.FULL_HOST)

Coming: TypeAlias = dict[Pool, Set[Page]]
"""Per tier: pages that are held there, but not to be announced yet."""

NONE: frozenset[Page] = frozenset()


class Announced:
    """What a consumer knows: the prefixes that blocks stand for, by tag, and which of them are on
    the device, and on the host.
    """

    abstraction: Abstraction
    """Knows the tree since its last reset; what was announced stays announced across resets."""

    def __init__(self) -> None:
        self.prefix_of: dict[int, int] = {}
        self.block_of: dict[int, int] = {}
        self.resident: tuple[dict[int, None], dict[int, None]] = ({}, {})
        """On device, and on the host."""

    def changes(
        self, events: Sequence[Event] | None, delta: Delta, flying: Iterable[Copy]
    ) -> list[Breach]:
        """Take in the events of a step, and compare them with what the step changed.
        Silence is a breach, too.
        """
        if events is None:
            text = "the system promises a stream of events, but shows none"
            return [Breach(Property.EVENT, "silent", text)]
        return self.hear(events) or self.agrees(delta, flying)

    def hear(self, events: Sequence[Event]) -> list[Breach]:
        """Take events in."""
        last = max((at for at, event in enumerate(events) if event.kind == "cleared"), default=0)
        for event in events[last:]:
            breach = next(self._take(event), None)
            if breach is not None:
                return [breach]
        return []

    def agrees(self, delta: Delta, flying: Iterable[Copy]) -> list[Breach]:
        """Compare what changed in a step, and count all pages."""
        coming = _coming(flying)
        if not delta.still:
            pages = [(*delta.gone[pool], *delta.gained[pool]) for pool in TIERS]
            breaches = self._compare(pages, coming)
            if breaches:
                return breaches
        return self._as_many(coming)

    def all_known(self, flying: Iterable[Copy]) -> list[Breach]:
        """Everything resident must be known."""
        return self._compare([self.abstraction.model.trie.recency] * len(TIERS), _coming(flying))

    def _as_many(self, coming: Coming) -> list[Breach]:
        """As many pages are known as are resident: none came, or went, without an event."""
        for pool, known in zip(TIERS, self.resident, strict=True):
            there = self.abstraction.model.trie.used[pool] - len(coming[pool])
            if len(known) != there:
                text = f"{there} pages are in {pool.name}, by the events {len(known)} are"
                return [Breach(Property.EVENT, _missing(there > len(known)), text)]
        return []

    def _compare(self, pages: Sequence[Iterable[Page]], coming: Coming) -> list[Breach]:
        for pool, touched, known in zip(TIERS, pages, self.resident, strict=True):
            unsaid = coming[pool]
            for page in touched:
                here = self.abstraction.resident_in(page)[pool] and page not in unsaid
                if here != (self._prefix(page) in known):
                    said = "not " if here else ""
                    is_in = f"is {'' if here else 'not '}in {pool.name}"
                    text = f"{spell([page])} {is_in}, by the events it is {said}there"
                    return [Breach(Property.EVENT, _missing(here), text)]
        return []

    def _prefix(self, page: Page) -> int:
        """The tag of the prefix that ends with a page."""
        placed, above = self.abstraction.placed(page), page.parent
        if placed is not None:
            return placed.tags[page.end - placed.start - 1]
        assert above is not None
        return self.abstraction.tags.of(
            page.namespace, 0 if above.parent is None else self._prefix(above), page.tokens
        )[-1]

    def _take(self, event: Event) -> Iterator[Breach]:
        known = self.resident[event.on_host]
        if event.kind == "cleared":
            for resident in self.resident:
                resident.clear()
        elif event.kind == "removed":
            for block in event.blocks:
                prefix = self.prefix_of.get(block)
                if prefix is None or prefix not in known:
                    yield Breach(
                        Property.EVENT,
                        "removed-unknown",
                        f"block {block} is removed, but it is not stored",
                    )
                    return
                del known[prefix]
        elif event.kind == "stored":
            yield from self._store(event, known)
        else:
            yield Breach(
                Property.EVENT, "unknown-kind", f"an event of kind {event.kind!r} says nothing"
            )

    def _store(self, event: Event, known: dict[int, None]) -> Iterator[Breach]:
        size = self.abstraction.config.page_size
        above = 0 if event.parent is None else self.prefix_of.get(event.parent)
        if above is None:
            yield Breach(
                Property.EVENT,
                "parent-unknown",
                f"{event.blocks} are stored under {event.parent}, which never was",
            )
            return
        tags = self.abstraction.tags.of(event.namespace, above, event.tokens)
        for block, prefix in zip(event.blocks, tags[size - 1 :: size], strict=True):
            if (
                self.prefix_of.setdefault(block, prefix) != prefix
                or self.block_of.setdefault(prefix, block) != block
            ):
                yield Breach(
                    Property.EVENT,
                    "block-ambiguous",
                    f"block {block} names two prefixes, or is one of two names of one",
                )
                return
            if prefix in known:
                yield Breach(
                    Property.EVENT,
                    "stored-twice",
                    f"block {block} is stored, but it is there already",
                )
                return
            known[prefix] = None


def _missing(stored: bool) -> str:
    """The rule broken by an event that was not sent: of something that came, or of
    something that went.
    """
    return "stored-missing" if stored else "removed-missing"


def _coming(flying: Iterable[Copy]) -> Coming:
    """Pages that a backup in flight will bring: they are announced when it is acknowledged
    (semantics 8.4).
    """
    on_host = {
        page for copy in flying if not copy.load for page in copy.targets.get(Pool.FULL_HOST, ())
    }
    return {Pool.FULL: NONE, Pool.FULL_HOST: on_host}

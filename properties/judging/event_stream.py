"""EVENT: a consumer of the cache's event stream must end up knowing exactly what is cached where.

Checked for systems whose sight declares events; beyond those it needs only nodes and residency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import TypeAlias

from radixproof.impl.observation import Event
from radixproof.model.config import Pool
from radixproof.model.following.host_room import HostLog
from radixproof.model.specification.copies import Copy
from radixproof.model.specification.drawing import spell
from radixproof.model.specification.trie import Page
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.abstraction import Abstraction, Delta
from radixproof.properties.judging.turns import Turns

TIERS = (Pool.FULL, Pool.FULL_HOST)

Coming: TypeAlias = dict[Pool, Set[Page]]
"""Per tier: pages that are held there, but not to be announced yet."""

NONE: frozenset[Page] = frozenset()
_HARMLESS = {"stored-twice", "stored-with-supplement", "child-first", "acks-out-of-order"}
_HARMLESS |= {"host-out-of-order", "host-unasked", "demoted-first"}
"""Rules whose breach leaves no doubt about what is where."""


class Announced:
    """What a consumer knows: the prefixes that blocks stand for, by tag, and which of them are on
    the device, and on the host.

    Whatever breaks a rule is taken over as it is: what comes next is judged as if it had been said.
    """

    abstraction: Abstraction
    """Knows the tree since its last reset; what was announced stays announced across resets."""

    def __init__(self) -> None:
        self.named: dict[int, dict[int, str]] = {}
        """The prefixes that each block was said to stand for, and their namespaces."""
        self.block_of: dict[int, int] = {}
        self.mixed: dict[int, None] = {}
        """Prefixes that no name tells from others, so that nobody can know where they are."""
        self.resident: tuple[dict[int, None], dict[int, None]] = ({}, {})
        """On device, and on the host."""
        self.just_stored: tuple[dict[int, None], dict[int, None]] = ({}, {})
        """The part of it that was said to be stored when events were taken in last."""
        self.orphans: tuple[dict[int, None], dict[int, None]] = ({}, {})
        """Per tier: parents of what was stored there meanwhile, which were not stored themselves.
        """
        self.turns = Turns()

    def restart(self, abstraction: Abstraction) -> None:
        """The tree is another one since a reset."""
        self.abstraction = abstraction
        self.turns.acked.clear()

    def changes(
        self,
        events: Sequence[Event] | None,
        delta: Delta,
        flying: Iterable[Copy],
        log: HostLog,
    ) -> list[Breach]:
        """Take in the events of a step, and compare them with what the step changed, and with the
        ``log`` of what had to happen on the host. Silence is a breach, too.
        """
        if events is None:
            text = "the system promises a stream of events, but shows none"
            return [Breach(Property.EVENT, "silent", text)]
        breaches = self.hear(events, log, (*delta.gained[Pool.FULL_HOST], *delta.gone[Pool.FULL]))
        if all(breach.rule in _HARMLESS for breach in breaches):
            breaches += self.agrees(delta, flying)
        breaches = breaches or list(self.turns.left())
        if breaches:
            self._adopt(flying)
        return breaches

    def hear(
        self, events: Sequence[Event], log: HostLog = (), copied: Iterable[Page] = ()
    ) -> list[Breach]:
        """Take events in. Of each rule that they break, the first breach counts. A page that was
        ``copied`` to the host, and may be gone again, may have taken a window along (8.3).
        """
        last = max((at for at, event in enumerate(events) if event.kind == "cleared"), default=0)
        first: dict[str, Breach] = {}
        self.just_stored, self.orphans = ({}, {}), ({}, {})
        self.turns.start(log, self._prefix)
        self.turns.supplemented.update(map(self._prefix, self._windows_above(copied)))
        for event in events[last:]:
            for breach in self._take(event):
                first.setdefault(breach.rule, breach)
        return list(first.values())

    def _windows_above(self, copied: Iterable[Page]) -> Iterator[Page]:
        """What a write-back of these pages may have copied the windows of, along with them: whole
        nodes.
        """
        config = self.abstraction.config
        if config.window is not None and config.write_back:
            for page in copied:
                for one in page.path():
                    if 0 < page.end - one.end < config.window:
                        yield from one.node()

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
        breaches = self._compare([self._all()] * len(TIERS), _coming(flying))
        if breaches:
            self._adopt(flying)
        return breaches

    def _all(self) -> Iterable[Page]:
        return self.abstraction.model.trie.recency

    def _as_many(self, coming: Coming) -> list[Breach]:
        """As many pages are known as are resident: none came, or went, without an event."""
        for pool, known, stored in zip(TIERS, self.resident, self.just_stored, strict=True):
            there = self.abstraction.model.trie.used[pool] - len(coming[pool])
            if self.mixed:
                there = len(self._there(pool, coming))
            if len(known) != there:
                untrue = stored.keys() - self._there(pool, coming).keys()
                rule = _unsaid(there > len(known), bool(untrue))
                text = f"{there} pages are in {pool.name}, by the events {len(known)} are"
                return [Breach(Property.EVENT, rule, text)]
        return []

    def _there(self, pool: Pool, coming: Coming) -> dict[int, None]:
        """What should be known of a tier."""
        here = (page for page in self._all() if self.abstraction.resident_in(page)[pool])
        prefixes = (self._prefix(page) for page in here if page not in coming[pool])
        return {prefix: None for prefix in prefixes if prefix not in self.mixed}

    def _compare(self, pages: Sequence[Iterable[Page]], coming: Coming) -> list[Breach]:
        for pool, touched, known, stored in zip(
            TIERS, pages, self.resident, self.just_stored, strict=True
        ):
            unsaid = coming[pool]
            for page in touched:
                here = self.abstraction.resident_in(page)[pool] and page not in unsaid
                prefix = self._prefix(page)
                if here != (prefix in known) and prefix not in self.mixed:
                    said = "not " if here else ""
                    is_in = f"is {'' if here else 'not '}in {pool.name}"
                    text = f"{spell([page])} {is_in}, by the events it is {said}there"
                    return [Breach(Property.EVENT, _unsaid(here, prefix in stored), text)]
        return []

    def _adopt(self, flying: Iterable[Copy]) -> None:
        """The consumer is told what is where."""
        coming = _coming(flying)
        for pool, known in zip(TIERS, self.resident, strict=True):
            there = self._there(pool, coming)
            known.clear()
            known.update(there)

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
                yield from self._remove(block, known, event.on_host)
        elif event.kind == "stored":
            yield from self._store(event, known)
        else:
            yield Breach(
                Property.EVENT, "unknown-kind", f"an event of kind {event.kind!r} says nothing"
            )

    def _remove(self, block: int, known: dict[int, None], on_host: bool) -> Iterator[Breach]:
        prefixes = self.named.get(block, {})
        if any(prefix in self.mixed for prefix in prefixes):
            return
        prefix = next(iter(prefixes), None)
        if prefix is None or prefix not in known:
            yield Breach(
                Property.EVENT,
                "removed-unknown",
                f"block {block} is removed, but it is not stored",
            )
            return
        del known[prefix]
        if on_host:
            yield from self.turns.take(False, prefix)
        else:
            self.turns.left_device(prefix)

    def _store(self, event: Event, known: dict[int, None]) -> Iterator[Breach]:
        size = self.abstraction.config.page_size
        above = 0 if event.parent is None else self._named(event.parent, event.namespace)
        if above is None:
            yield Breach(
                Property.EVENT,
                "parent-unknown",
                f"{event.blocks} are stored under {event.parent}, which never was",
            )
            return
        if above and not self._is_known(above):
            text = f"{event.blocks} are stored under {event.parent}, which is not stored itself"
            yield Breach(Property.EVENT, "parent-not-stored", text)
        if above and above not in known:
            self.orphans[event.on_host][above] = None
        tags = self.abstraction.tags.of(event.namespace, above, event.tokens)
        ends = tags[size - 1 :: size]
        if len(event.blocks) != len(ends):
            text = f"{event.blocks} are stored with {len(tags)} tokens, in pages of {size}"
            yield Breach(Property.EVENT, "blocks-without-tokens", text)
        for block, prefix in zip(event.blocks, ends, strict=False):
            yield from self._name(block, prefix, event.namespace)
            if prefix in self.mixed:
                continue
            if prefix in known:
                yield self._stored_twice(block, event.on_host and prefix in self.turns.supplemented)
            known[prefix] = self.just_stored[event.on_host][prefix] = None
            yield from self._is_late(prefix, event.on_host)

    def _stored_twice(self, block: int, supplemented: bool) -> Breach:
        text = f"block {block} is stored, but it is there already"
        if supplemented:
            text += "; only what it had not was copied"
            return Breach(Property.EVENT, "stored-with-supplement", text)
        return Breach(Property.EVENT, "stored-twice", text)

    def _is_late(self, prefix: int, on_host: bool) -> Iterator[Breach]:
        """What hangs below it was stored first, or what was acknowledged later.

        On the host of a cache with write_back a node may well come before its parent.
        """
        free = on_host and self.abstraction.config.write_back
        if prefix in self.orphans[on_host] and not free:
            text = "a page is stored on a tier before the page above it, which comes there as well"
            yield Breach(Property.EVENT, "child-first", text)
        if on_host:
            yield from self.turns.take(True, prefix)

    def _is_known(self, prefix: int) -> bool:
        """Whether a prefix is stored on any tier, as far as names can tell."""
        return prefix in self.mixed or any(prefix in known for known in self.resident)

    def _named(self, block: int, namespace: str) -> int | None:
        """The prefix of a namespace that a block stands for."""
        prefixes = self.named.get(block, {})
        return next((prefix for prefix, of in prefixes.items() if of == namespace), None)

    def _name(self, block: int, prefix: int, namespace: str) -> Iterator[Breach]:
        """A block stands for one prefix, and a prefix has one name."""
        prefixes = self.named.setdefault(block, {})
        prefixes[prefix] = namespace
        if len(prefixes) == 1 and self.block_of.setdefault(prefix, block) == block:
            return
        new = any(one not in self.mixed for one in prefixes)
        for one in prefixes:
            self.mixed[one] = None
            for known in self.resident:
                known.pop(one, None)
        if not new:
            return
        text = f"block {block} names two prefixes, or is one of two names of one"
        if len(set(prefixes.values())) > 1:
            text = f"block {block} names prefixes of two namespaces"
        yield Breach(Property.EVENT, "block-ambiguous", text)


def _unsaid(here: bool, just_stored: bool) -> str:
    """The rule that is broken where something is here that is not known, or known and not here."""
    if here:
        return "stored-missing"
    return "stored-absent" if just_stored else "removed-missing"


def _coming(flying: Iterable[Copy]) -> Coming:
    """Pages that a backup in flight will bring: they are announced when it is acknowledged
    (semantics 8.4).
    """
    on_host = {
        page for copy in flying if not copy.load for page in copy.targets.get(Pool.FULL_HOST, ())
    }
    return {Pool.FULL: NONE, Pool.FULL_HOST: on_host}

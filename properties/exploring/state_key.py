"""When two states are alike: whatever comes next goes the same way, and is judged the same way.

A state is what the model has followed, what the ledger says is out, and what the system says that
nobody sees. The names of pages, receipts and slots do not count, and of numbers that only order
things, only their order does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias

import msgspec

from radixproof.impl.revealing import Revealing
from radixproof.model.config import EvictionPolicy, Pool
from radixproof.model.specification.copies import Copies, Copy
from radixproof.model.specification.ordering import SLRU_PROTECTED
from radixproof.model.specification.state import State
from radixproof.model.specification.trie import Page, PagesPerPool
from radixproof.properties.performing.ledger import Ledger
from radixproof.properties.running.run import Run

SIZE = 16
"""Bytes of a key."""
Plain: TypeAlias = Any
"""Tuples and lists of numbers, texts, and more of them."""


def state_key(run: Run, named: bool = False) -> bytes:
    """The state that a run has come to, in a few bytes. All names count if it is ``named``."""
    judge, ledger = run.judge, run.ledger
    described = Described(judge.model, named or are_names_known(run))
    plain = (
        described.whole(),
        sorted(
            (described.page(page), sorted(map(int, pools)))
            for page, pools in judge.follower.owed.items()
        ),
        sorted(map(described.page, judge.unordered)),
        [sorted(slots) for slots in judge.abstraction.forgotten],
        judge.given_up,
        _out(ledger),
        [list(ledger.receipts), list(ledger.matches)] if named else [],
        [_hidden(run, described, system) for system in run.systems],
    )
    return blake2b(msgspec.msgpack.encode(plain), digest_size=SIZE).digest()


def are_names_known(run: Run) -> bool:
    """Whether the names of pages count: somebody may come back with what is not in the tree, or
    pages overlap.
    """
    ledger = run.ledger
    return bool(ledger.requests or ledger.prefetches or ledger.matches) or run.config.bigram


class Described:
    """A state of the model, in plain data. Pages are numbered as they were last used, and holders
    as they came; their tokens are there only if they are ``named``.
    """

    def __init__(self, model: State, named: bool) -> None:
        self.model, self.config, self.named = model, model.config, named
        self.pages = {page: number for number, page in enumerate(model.trie.recency)}
        self.holders = {holder: number for number, holder in enumerate(model.receipts)}

    def whole(self) -> Plain:
        """All of it."""
        model, trie = self.model, self.model.trie
        windows = [page.window for page in trie.recency] if model.kept else []
        return (
            list(map(self._page, trie.recency)),
            ranks([page.created for page in trie.recency]),
            ranks([*windows, *(kept.windows for kept in model.kept.values())]),
            [self._names(order) for order in (*trie.recency_in, *trie.host_only)],
            self._names(trie.on_both),
            [(holder.kind, self._per_pool(held)) for holder, held in model.receipts.items()],
            [(self.page(kept.device), self.page(kept.best)) for kept in model.kept.values()],
            self._copies(model.copies),
            (sorted(model.refusing), [sorted(pools) for pools in model.missed]),
            trie.rows,
            self._most_urgent(),
        )

    def page(self, page: Page) -> int:
        """The number of a page; one that has left the tree gets the next."""
        return self.pages.setdefault(page, len(self.pages))

    def _page(self, page: Page) -> Plain:
        above = page.parent
        return (
            page.namespace if above is None or above.parent is None else self.page(above),
            page.tokens if self.named else len(page.tokens),
            page.cut,
            page.resident_in,
            self.count(page.hits),
            self.count(page.inserts),
            page.priority,
            page.urgency,
            [[self.holders.get(one, -1) for one in holders] for holders in page.holders],
        )

    def count(self, hits: int) -> int:
        """Hits, as far as they make a difference (semantics 7.2, 8.1)."""
        if self.config.eviction_policy is EvictionPolicy.LFU:
            return hits
        return min(hits, max(self.config.threshold, SLRU_PROTECTED))

    def _most_urgent(self) -> int:
        urgent = self.config.eviction_policy is EvictionPolicy.PRIORITY
        return self.model.most_urgent if urgent else 0

    def _names(self, pages: Iterable[Page]) -> list[int]:
        return [self.page(page) for page in pages]

    def _per_pool(self, held: PagesPerPool) -> Plain:
        return [(int(pool), self._names(pages)) for pool, pages in held.items()]

    def _copies(self, copies: Copies) -> Plain:
        number = {id(copy): at for at, copy in enumerate(copies.flying)}

        def queues(some: Mapping[tuple[bool, int], list[Copy]]) -> Plain:
            return [[number.get(id(copy), -1) for copy in each] for each in some.values()]

        flying = [
            (copy.load, self._names(copy.node), self._per_pool(copy.targets), copy.ran)
            for copy in copies.flying
        ]
        batches = ranks([copy.batch for copy in copies.flying])
        return flying, batches, queues(copies.queued), queues(copies.failed)


def ranks(numbers: Sequence[int]) -> list[int]:
    """Numbers of which only the order counts."""
    rank = {number: at for at, number in enumerate(sorted(set(numbers)))}
    return [rank[number] for number in numbers]


def _out(ledger: Ledger) -> Plain:
    """What the history has out: receipts in the order in which they were taken, and by their own
    names what operations go on with.
    """
    requests = [
        (
            one.name,
            one.key.tokens,
            one.key.namespace,
            one.protected,
            one.computed,
            one.evicted,
            one.state is None,
            one.prompt,
            len(one.tracked),
            sorted(one.sums.values()),
            one.released,
            one.inserted,
            one.carried,
            one.cannot_insert,
            one.priority,
            [bool(peer) for peer in one.peers],
        )
        for one in ledger.requests.values()
    ]
    return (
        [(one.length, one.on_host, one.released) for one in ledger.receipts.values()],
        requests,
        [
            (
                name,
                one.key.tokens,
                one.key.namespace,
                one.start,
                [(int(pool), len(slots)) for pool, slots in one.slots.items()],
            )
            for name, one in ledger.prefetches.items()
        ],
        _in_flight(ledger),
        _contents(ledger, ((pool, tag) for pool, _, tag in ledger.launched)),
        _contents(ledger, ledger.overtaken),
    )


def _in_flight(ledger: Ledger) -> Plain:
    """What the forward pass computes that is in flight, if one is."""
    forward = ledger.forward
    if forward is None or not forward.in_flight:
        return ()
    return forward.request, forward.part.start, forward.part.stop


def _contents(ledger: Ledger, some: Iterable[tuple[Pool, int]]) -> Plain:
    """Content that a breach may be named after, by the names that it has in the history."""
    return sorted((int(pool), ledger.tags.named(tag)) for pool, tag in some)


def _hidden(run: Run, described: Described, system: object) -> Plain:
    """What a system says that no observation shows, by the last pages of its nodes."""
    if not isinstance(system, Revealing):
        return ()
    placed, hidden = run.judge.abstraction.nodes, system.hidden()
    nodes = sorted(
        (described.page(placed[node].pages[-1]), counters)
        for node, counters in hidden.nodes.items()
        if node in placed
    )
    counted = [(page, described.count(one.hits), one.priority) for page, one in nodes]
    return (
        counted,
        ranks([one.created for _, one in nodes]),
        list(hidden.refusing),
        list(hidden.copies),
    )

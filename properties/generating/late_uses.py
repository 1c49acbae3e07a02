"""Matches that are kept, and what uses them after other operations (semantics 3.7).

Whether one is kept or used goes by turns, and not by a draw: a cache that cannot keep them is put
to the same histories otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from radixproof.impl.operations import (
    NO_PROMPT,
    HostLock,
    LoadBack,
    Lock,
    Match,
    Operation,
)
from radixproof.impl.scope import Scope
from radixproof.model.key import Key
from radixproof.model.specification.cache import Cache
from radixproof.model.specification.loading import host_hits
from radixproof.properties.performing.ledger import Ledger

MOST_MATCHES = 3
"""The most matches that are kept at a time: then the next one takes the place of the oldest."""


class LateUses:
    """Keeps matches of one history, and makes what uses them."""

    def __init__(self, ledger: Ledger, scope: Scope) -> None:
        self.ledger, self.scope, self.config = ledger, scope, ledger.config
        self.named = 0
        self.turns: Counter[type[Operation]] = Counter()
        """How often a match, or what uses one, was about to be made."""

    def kept(self, key: Key) -> Match:
        """A match that is kept."""
        names = list(self.ledger.matches)
        if len(names) < MOST_MATCHES:
            self.named += 1
            return Match(key, f"m{self.named}")
        return Match(key, names[0])

    def match(self, key: Key, model: Cache) -> Match:
        """A match, which may be kept, or splits the node of one that is."""
        if self.in_turn(Match, every=2):
            return self.kept(key)
        nodes = [model.kept[name].best.node() for name in self.ledger.matches]
        inside = [page for node in nodes for page in node[:-1]]
        return Match(inside[self.turns[Match] // 2 % len(inside)].key() if inside else key)

    def lock(self, name: str, key: Key) -> Lock:
        """A lock of a prompt, or of a kept match."""
        if self.in_turn(Lock, every=2) and self.ledger.matches:
            return Lock(name, NO_PROMPT, self._one_of(list(self.ledger.matches), Lock))
        return Lock(name, key)

    def host_lock(self, name: str, key: Key) -> HostLock:
        """The same for the host copies."""
        if self.in_turn(HostLock, every=2) and self.ledger.matches:
            return HostLock(name, NO_PROMPT, self._one_of(list(self.ledger.matches), HostLock))
        return HostLock(name, key)

    def loading(self, made: LoadBack, model: Cache) -> Iterator[Operation]:
        """A load-back as it was made, or that of a kept match; or it is put off, and perhaps a part
        of its prefix is brought back before.
        """
        if self.in_turn(LoadBack, every=4):
            yield self.kept(made.key)
            if self.turns[LoadBack] % 8 == 0:
                units = self.config.floor(len(self.ledger.units(made.key)))
                part = max(0, units - self.config.page_size)
                yield LoadBack(self.ledger.prefix(made.key, part))
            return
        paths = {name: model.kept[name].best.path() for name in self.ledger.matches}
        ready = [name for name, path in paths.items() if any(host_hits(path, self.config))]
        if ready and self.turns[LoadBack] % 2:
            yield LoadBack(NO_PROMPT, made.quota, self._one_of(ready, LoadBack))
        else:
            yield made

    def in_turn(self, kind: type[Operation], every: int) -> bool:
        """Whether it is the turn of a match to be kept, or of a kept one to be used."""
        self.turns[kind] += 1
        return self.scope.kept_matches and self.turns[kind] % every == 0

    def _one_of(self, names: list[str], kind: type[Operation]) -> str:
        return names[self.turns[kind] // 2 % len(names)]

"""Requests of one history, which go on over several operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Finish,
    LoadBack,
    LoadingCheck,
    Operation,
    Prefill,
    RunCopies,
    RunForward,
    WritingCheck,
)
from radixproof.model.config import Pool
from radixproof.model.specification.cache import Cache
from radixproof.properties.generating.evictions import Evictions
from radixproof.properties.generating.keys import DIFFERENT, Below, loadable
from radixproof.properties.generating.making import Making
from radixproof.properties.generating.wide import past_stop, prompt_only
from radixproof.properties.performing.ledger import Request

MOST_REQUESTS = 4
"""The most requests alive at a time."""


class Requests:
    """Makes what the requests of one history do."""

    def __init__(self, making: Making, evictions: Evictions) -> None:
        self.making, self.config = making, making.config
        self.ledger, self.evictions = making.ledger, evictions
        self.retracted: dict[str, Request] = {}
        """As they were when they were, by name. They come again with prompt and answer in one."""

    @property
    def may_arrive(self) -> bool:
        """Whether there are not too many."""
        return len(self.ledger.requests) < MOST_REQUESTS

    def arriving(self, model: Cache, below: Below) -> Iterator[Operation]:
        """One more comes, if there are not too many; some are those that were retracted, with what
        they had generated.
        """
        if not self.may_arrive:
            return
        if self.retracted and self.making.in_turn("one that was retracted", every=3):
            name = next(iter(self.retracted))
            before = self.retracted.pop(name)
            yield Arrive(name, before.key, self.making.quota(below), before.priority)
        else:
            yield self._new(model, below)

    def _new(self, model: Cache, below: Below) -> Arrive:
        """Half of them have a prompt that ends where a state is."""
        states = list(model.trie.recency_in[Pool.MAMBA])
        name = self.making.name("q")
        key = (
            states[below(len(states))].key()
            if states and below(2)
            else self.making.keys.on_host(model, below)
        )
        self.making.keys.prompts.remember(key)
        return Arrive(name, key, self.making.quota(below), self.making.priority(below))

    def going_on(self, kind: type[Operation], model: Cache, below: Below) -> Iterable[Operation]:
        """A request continues its prompt, generates, or ends."""
        names = list(self.ledger.requests)
        if not names:
            return ()
        name = names[below(len(names))]
        if kind in (Prefill, Decode) and below(4):
            kind = Prefill if self.ledger.left_of(name) else Decode
        return self.continuing(kind, name, model, below)

    def continuing(
        self, kind: type[Operation], name: str, model: Cache, below: Below
    ) -> Iterator[Operation]:
        """A request goes on, or ends; and what happens while a step of it is in flight."""
        made = self._continued(kind, name, below)
        if not getattr(made, "launched", False):
            yield made
            return
        chance = below(6)
        loads = chance < 2
        if loads and not loadable(model):
            yield from self.evictions.demoting(model, below)
        yield made
        if chance == 0:
            yield self._continued(Abort, name, below)
        elif isinstance(made, Decode) and chance < 3:
            yield self._continued(Finish, name, below)
        if loads:
            yield LoadBack(self.making.keys.on_host(model, below))
            if self.making.fails():
                yield from (RunCopies(1, load=True, fail=True), LoadingCheck())
            yield from (RunCopies(2, load=True), RunForward())
        elif chance < 4:
            if self.making.fails():
                yield RunCopies(1, fail=True)
            yield from (WritingCheck(), RunCopies(2))

    def _continued(self, kind: type[Operation], name: str, below: Below) -> Operation:
        """What it does next; one that is retracted is kept in mind."""
        size, in_flight = self.config.page_size, self.making.in_flight
        if kind is Prefill:
            pages = (1, 1, 2, 3, 8)[below(5)]
            tokens = pages * size - (0 if below(4) else below(size))
            return Prefill(name, tokens, in_flight.launched(Prefill))
        if kind is Decode:
            return Decode(name, self._answer(below), in_flight.launched(Decode))
        if kind is Finish:
            beyond = past_stop(self.config, name) if self.making.scope.ends_at_stops else 0
            return Finish(name, prompt_only(self.config, name), beyond)
        self.retracted[name] = self.ledger.requests[name]
        return Abort(name)

    def _answer(self, below: Below) -> tuple[int, ...]:
        """Tokens of what prompts are made of."""
        tokens = self.making.keys.prompts.alphabet.tokens
        length, number = 1 + below(2 * self.config.page_size), below(len(tokens) ** DIFFERENT)
        digits = [number // len(tokens) ** at % len(tokens) for at in range(DIFFERENT)]
        return tuple(tokens[digits[at % DIFFERENT]] for at in range(length))

    def at_work(self, kind: type[Operation]) -> list[str]:
        """Requests that can prefill, or decode."""
        return [
            name
            for name in self.ledger.requests
            if bool(self.ledger.left_of(name)) == (kind is Prefill)
        ]

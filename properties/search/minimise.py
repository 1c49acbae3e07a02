"""The minimiser: from a history that goes wrong to a shortest one that goes wrong in the same way.

It works on histories, not on random choices: any sub-list of operations is a history, so it may cut anywhere. Each pass makes one
kind of change wherever it can, going on from where it succeeded; the passes take turns until none of them changes anything.

Operations and configurations are known by the types of their fields: numbers, flags and enumerations go back to their defaults,
prompts get shorter. So an operation that is new in the vocabulary is shrunk without a word about it here. Only the passes that
put an operation in place of others know what operations mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, replace
from enum import Enum
from functools import partial
from itertools import combinations, compress, cycle, product
from math import inf
from typing import Any

from radixproof.impl.operations import (
    Arrive,
    Decode,
    History,
    Insert,
    LoadBack,
    Lock,
    Operation,
    RunCopies,
)
from radixproof.model.config import Component, Config, ConfigError, Pool
from radixproof.model.key import Key

Fails = Callable[[History], bool]
Tokens = tuple[int, ...]

CALLS = 1_000
"""Runs after which the best so far has to do, so that a slow system does not shrink for ever. Most histories need a tenth of it."""

PLAIN = Config()
NOT_IN_TOKENS = ("mamba", "count", "rank", "priority")
"""Numbers in operations that stay as they are when pages get smaller. All others are in tokens."""


def minimise(
    history: History,
    fails: Fails,
    on_progress: Callable[[int], None] = lambda _: None,
    calls: int = CALLS,
) -> History:
    """The plainest history found that still ``fails``, as ``history`` itself must.

    Nothing can be left out of it: no single operation, no single page of one prompt, no page at the same place of all prompts.
    Only after ``calls`` calls of ``fails`` it is the best so far. ``on_progress`` is told how many operations are left.
    """
    now = _Shrinking(history, fails, on_progress, calls)
    with suppress(_Enough):
        for change in COARSE:
            change(now)
        idle = 0
        for change in cycle(PASSES):
            before = now.best
            change(now)
            idle = idle + 1 if now.best is before else 0
            if idle == len(PASSES):
                break
    return now.best


class _Enough(Exception):
    """There are no calls left."""


class _Shrinking:
    """The best history so far, and the one way to a better one."""

    def __init__(
        self, history: History, fails: Fails, on_progress: Callable[[int], None], calls: int
    ) -> None:
        self.best = history
        self._fails = fails
        self._on_progress = on_progress
        self._calls_left = calls
        self._tried = {(history.config, history.operations)}

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self.best.operations

    def accepts(self, candidate: History) -> bool:
        """Whether the candidate is a new one, and fails. Then it is the best."""
        known = (candidate.config, candidate.operations)
        if known in self._tried:
            return False
        if self._calls_left == 0:
            raise _Enough
        self._tried.add(known)
        self._calls_left -= 1
        if not self._fails(candidate):
            return False
        shorter = len(candidate.operations) < len(self.operations)
        self.best = candidate
        if shorter:
            self._on_progress(len(self.operations))
        return True

    def accepts_operations(self, operations: Iterable[Operation]) -> bool:
        return self.accepts(replace(self.best, operations=tuple(operations)))

    def does_without(self, start: int, end: int) -> bool:
        return self.accepts_operations(self.operations[:start] + self.operations[end:])

    def accepts_fields(self, at: int, values: Mapping[str, Any]) -> bool:
        """Whether operation ``at`` may have other values in these fields."""
        changed = _changed(self.operations[at], self.best.config, values)
        return self.accepts_operations((*self.operations[:at], changed, *self.operations[at + 1 :]))

    def accepts_config(self, values: Mapping[str, Any]) -> bool:
        """Whether the configuration may have other values in these fields; it must still have all that operations name."""
        config = _reconfigured(self.best.config, values)
        if config is None or any(
            _lacking(each, config) - _lacking(each, self.best.config) for each in self.operations
        ):
            return False
        return self.accepts(replace(self.best, config=config))


def _lowered(value: int, least: int, accepts: Callable[[int], bool]) -> None:
    """Lower a number to ``least``, or else in ever smaller steps, until the number below is not accepted."""
    step = value - least
    while step > 0:
        if accepts(value - step):
            value -= step
            step = min(step, value - least)
        else:
            step //= 2


# -- what an operation is made of ----------------------------------------------------------------------------------------------


def _values(thing: Any) -> dict[str, Any]:
    return {item.name: getattr(thing, item.name) for item in fields(thing)}


def _replaced(thing: Any, values: Mapping[str, Any]) -> Any:
    return replace(thing, **values)


def _defaults(thing: Any) -> dict[str, Any]:
    """The plainest values: defaults, and where there is none, the first of an enumeration, zero, false or nothing."""
    return {
        item.name: _plainest(getattr(thing, item.name)) if item.default is MISSING else item.default
        for item in fields(thing)
    }


def _plainest(value: Any) -> Any:
    if isinstance(value, Enum):
        return next(iter(type(value)))
    return type(value)() if isinstance(value, int | tuple) else value


def _changed(operation: Operation, config: Config, values: Mapping[str, Any]) -> Any:
    """The operation with other values. ``evicted`` is kept in whole pages, and within the prompt."""
    changed = _replaced(operation, values)
    evicted = getattr(changed, "evicted", 0)
    return (
        replace(changed, evicted=config.floor(min(evicted, len(changed.key.tokens))))
        if evicted
        else changed
    )


def _lacking(operation: Operation, config: Config) -> set[str]:
    """Fields that name what a cache of this configuration has not: a component, a pool or a rank."""
    absent = [
        component.name.lower() for component in Component if component not in config.components
    ]
    return {
        name
        for name, value in _values(operation).items()
        if (isinstance(value, Component) and value not in config.components)
        or (isinstance(value, Pool) and value not in config.pools)
        or (name == "rank" and value >= config.ranks)
        or (name in absent and value)
    }


def _texts(operation: Operation) -> dict[str, Tokens]:
    """Fields that hold tokens: prompts, and what is generated."""
    texts = {
        name: value.tokens if isinstance(value, Key) else value
        for name, value in _values(operation).items()
    }
    return {name: tokens for name, tokens in texts.items() if isinstance(tokens, tuple)}


def _text(operation: Operation, name: str, tokens: Iterable[int]) -> Any:
    """The value of such a field for other tokens."""
    value = getattr(operation, name)
    return replace(value, tokens=tuple(tokens)) if isinstance(value, Key) else tuple(tokens)


# -- fewer operations ----------------------------------------------------------------------------------------------------------


def _cut_short(now: _Shrinking) -> None:
    """Nothing after the failure."""

    def ends_at(length: int) -> bool:
        return now.accepts_operations(now.operations[:length])

    last = len(now.operations) - 1
    if last >= 0 and ends_at(last):
        _lowered(last, 0, ends_at)


def _last_ones(now: _Shrinking) -> None:
    """Only the last one, two, four, ... What matters is often near the end, and short histories are quickly run."""
    length = 1
    while length < len(now.operations) and not now.accepts_operations(now.operations[-length:]):
        length *= 2


def _without_stretches(now: _Shrinking, patience: float = inf) -> None:
    """Without halves, halves of the halves that stay, and so on. Where one half can go, the other is taken to be needed.

    The last operation is left alone: there it fails. ``patience`` is for levels in a row at which nothing can go.
    """
    lengths = [len(now.operations) - 1, 1]
    vain = 0
    while max(lengths) > 1 and vain < patience:
        before = len(now.operations)
        kept: list[int] = []
        for length in lengths:
            start, half = sum(kept), length // 2
            if now.does_without(start, start + half):
                kept.append(length - half)
            elif now.does_without(start + half, start + length):
                kept.append(half)
            else:
                kept += [part for part in (half, length - half) if part]
        lengths = kept
        vain = vain + 1 if len(now.operations) == before else 0


def _without_single(now: _Shrinking) -> None:
    """Without single operations, from the last to the first."""
    for at in reversed(range(len(now.operations))):
        now.does_without(at, at + 1)


def _without_kinds(now: _Shrinking) -> None:
    """Without all operations of one kind, of one receipt or of one request."""
    for one in dict.fromkeys(one for operation in now.operations for one in _belongs(operation)):
        now.accepts_operations(
            operation for operation in now.operations if one not in _belongs(operation)
        )


def _belongs(operation: Operation) -> list[tuple[str, str]]:
    names = [(name, value) for name, value in _values(operation).items() if isinstance(value, str)]
    return [("kind", operation.name), *names]


def _waiting_instead(now: _Shrinking) -> None:
    """A check that waits, in place of copies that run and a check that polls."""
    for at in reversed(range(len(now.operations))):
        if isinstance(now.operations[at], RunCopies):
            before, after = now.operations[:at], now.operations[at + 1 :]
            polls = {
                operation.name: place
                for place, operation in reversed([*enumerate(after)])
                if _polls(operation)
            }
            for place in polls.values():
                waits = _replaced(after[place], {"blocking": True})
                if now.accepts_operations((*before, *after[:place], waits, *after[place + 1 :])):
                    break


def _inserting_instead(now: _Shrinking) -> None:
    """An insert in place of all that a request does, when it ends: with all of its SWA state, or that of the window alone.

    A request inserts more than once, so that a node may be past a higher threshold: one hit is tried with the lowest, too.
    """
    config = now.best.config
    for arrival in [operation for operation in now.operations if isinstance(operation, Arrive)]:
        mine = [("request", arrival.request) in _belongs(operation) for operation in now.operations]
        if sum(mine) > 1:
            generated = [
                each.tokens for each in compress(now.operations, mine) if isinstance(each, Decode)
            ]
            key = replace(arrival.key, tokens=sum(generated, arrival.key.tokens))
            end = max(at for at, one in enumerate(mine) if one)
            before = [
                operation
                for operation, one in zip(now.operations[:end], mine, strict=False)
                if not one
            ]
            slid = config.floor(max(0, len(key.tokens) - (config.window or 0)))
            for evicted, threshold in product((0, slid), (config.threshold, 1)):
                operations = (*before, Insert(key, evicted), *now.operations[end + 1 :])
                if now.accepts(
                    replace(
                        now.best, config=replace(config, threshold=threshold), operations=operations
                    )
                ):
                    break


def _part_instead(now: _Shrinking) -> None:
    """The load-back that an arrival asks for, or the lock that it takes, in place of the arrival."""
    for at, arrival in enumerate(now.operations):
        if isinstance(arrival, Arrive):
            for part in (LoadBack(arrival.key, arrival.quota), Lock(arrival.request, arrival.key)):
                if now.accepts_operations((*now.operations[:at], part, *now.operations[at + 1 :])):
                    break


def _polls(operation: Operation) -> bool:
    return getattr(operation, "blocking", None) is False


# -- plainer operations --------------------------------------------------------------------------------------------------------


def _plainer_fields(now: _Shrinking) -> None:
    """Every field of every operation at its default, or nearer to it; every prompt shorter."""
    for at in range(len(now.operations)):
        for name, default in _defaults(now.operations[at]).items():
            value = getattr(now.operations[at], name)
            if isinstance(value, Key):
                now.accepts_fields(at, {name: replace(value, namespace="")})
                _shorter_text(now, at, name, now.best.config.page_size, 0)
            elif isinstance(value, tuple):
                _shorter_text(now, at, name, 1, len(default))
            elif not isinstance(value, str):
                _plainer_field(now, at, name, default)
        _full_instead(now, at)


def _plainer_field(now: _Shrinking, at: int, name: str, default: Any) -> None:
    value = getattr(now.operations[at], name)
    if not now.accepts_fields(at, {name: default}) and type(value) is int:
        _lowered(value, default or 0, lambda less: now.accepts_fields(at, {name: less}))


def _shorter_text(now: _Shrinking, at: int, name: str, size: int, least: int) -> None:
    """A text of no more pages than needed: cut short, then without single ones."""

    def tokens() -> Tokens:
        return _texts(now.operations[at])[name]

    def keeps(pages: int) -> bool:
        return now.accepts_fields(
            at, {name: _text(now.operations[at], name, tokens()[: pages * size])}
        )

    pages = -(-len(tokens()) // size)
    _lowered(pages, least, keeps)
    for page in reversed(range(pages)):
        for slides in (False, True):
            if len(tokens()) > max(page, least) * size:
                now.accepts_fields(
                    at, _without_page(now.operations[at], name, page * size, size, slides)
                )


def _without_page(
    operation: Operation, name: str, start: int, size: int, slides: bool
) -> dict[str, Any]:
    """A text without one page. With ``slides``, an ``evicted`` beyond its start moves along."""
    tokens = _texts(operation)[name]
    shorter = {name: _text(operation, name, tokens[:start] + tokens[start + size :])}
    evicted = getattr(operation, "evicted", 0)
    return {**shorter, "evicted": evicted - size} if slides and evicted > start else shorter


def _full_instead(now: _Shrinking, at: int) -> None:
    """An amount of FULL in place of the same amount of another component."""
    full, *others = [component.name.lower() for component in Component]
    for name in others:
        values = _values(now.operations[at])
        if full in values and values.get(name):
            now.accepts_fields(at, {full: max(values[full], values[name]), name: 0})


# -- plainer prompts, all together ---------------------------------------------------------------------------------------------


def _without_pages(now: _Shrinking) -> None:
    """Without the page at one place of all prompts, from the last to the first."""
    size = now.best.config.page_size
    longest = max(
        (len(tokens) for operation in now.operations for tokens in _texts(operation).values()),
        default=0,
    )
    for start in reversed(range(0, longest, size)):
        for slides in (False, True):
            now.accepts_operations(
                [
                    _without_place(operation, now.best.config, start, slides)
                    for operation in now.operations
                ]
            )


def _without_place(operation: Operation, config: Config, start: int, slides: bool) -> Operation:
    for name, value in _values(operation).items():
        if isinstance(value, Key):
            operation = _changed(
                operation, config, _without_page(operation, name, start, config.page_size, slides)
            )
    return operation


def _plainer_tokens(now: _Shrinking) -> None:
    """No namespaces; prompts that agree at more places; tokens named after their place (1 2 3, and another one there 101, 201)."""
    now.accepts_operations([_without_namespace(operation) for operation in now.operations])
    for place, tokens in _alphabet(now.operations).items():
        kept = tokens[:1]
        for token in tokens[1:]:
            if not any(
                now.accepts_operations(_respelled(now.operations, {(place, token): one}))
                for one in (kept[0], kept[-1])
            ):
                kept.append(token)
    alphabet = _alphabet(now.operations).items()
    names = {
        (place, token): 100 * nth + place + 1
        for place, tokens in alphabet
        for nth, token in enumerate(tokens)
    }
    now.accepts_operations(_respelled(now.operations, names))


def _without_namespace(operation: Operation) -> Any:
    keys = {name: value for name, value in _values(operation).items() if isinstance(value, Key)}
    return _replaced(operation, {name: replace(key, namespace="") for name, key in keys.items()})


def _placed(operations: Iterable[Operation]) -> Iterator[tuple[Operation, dict[str, int]]]:
    """Operations with the places at which their texts begin: a prompt at 0, what is generated where its request has got to."""
    ends: dict[str, int] = {}
    for operation in operations:
        starts: dict[str, int] = {}
        whose = next((value for value in _values(operation).values() if isinstance(value, str)), "")
        for name, tokens in _texts(operation).items():
            starts[name] = 0 if isinstance(getattr(operation, name), Key) else ends.get(whose, 0)
            ends[whose] = starts[name] + len(tokens)
        yield operation, starts


def _alphabet(operations: Iterable[Operation]) -> dict[int, list[int]]:
    """The tokens at each place, in the order in which they come up."""
    alphabet: dict[int, dict[int, None]] = {}
    for operation, starts in _placed(operations):
        for name, tokens in _texts(operation).items():
            for place, token in enumerate(tokens, starts[name]):
                alphabet.setdefault(place, {})[token] = None
    return {place: list(tokens) for place, tokens in sorted(alphabet.items())}


def _respelled(
    operations: Iterable[Operation], names: Mapping[tuple[int, int], int]
) -> Iterator[Operation]:
    """The same operations with other tokens: ``names`` has them by place and token."""
    for operation, starts in _placed(operations):
        changes = {}
        for name, tokens in _texts(operation).items():
            spelling = [names.get(place, place[1]) for place in enumerate(tokens, starts[name])]
            changes[name] = _text(operation, name, spelling)
        yield _replaced(operation, changes)


# -- plainer configurations ----------------------------------------------------------------------------------------------------


def _plainer_config(now: _Shrinking) -> None:
    """Smaller pages, no more components than needed, all else at its default or nearer to it."""
    _lowered(now.best.config.page_size, 1, lambda size: now.accepts(_repaged(now.best, size)))
    defaults = _defaults(now.best.config)
    changed = [
        name
        for name, value in _values(now.best.config).items()
        if value != defaults[name] and name != "page_size"
    ]
    tied = [
        name for name in changed if _reconfigured(now.best.config, {name: defaults[name]}) is None
    ]
    for names in (*combinations(tied, 3), *combinations(tied, 2), *combinations(changed, 1)):
        now.accepts_config({name: defaults[name] for name in names})
    for name in changed:
        _usual_size(now, name, defaults[name])


def _usual_size(now: _Shrinking, name: str, default: Any) -> None:
    """A number at its default or nearer to it from above; the pool of a component that stays as large as that of FULL."""
    value = getattr(now.best.config, name)
    if type(value) is int:
        pool = PLAIN.host_pages if "host" in name else PLAIN.device_pages
        usual = default or (pool if default == 0 and value else 1)
        if not now.accepts_config({name: usual}):
            _lowered(value, usual, lambda less: now.accepts_config({name: less}))


def _reconfigured(config: Config, values: Mapping[str, Any]) -> Config | None:
    """The configuration with other values, or None if no cache can be built with it."""
    try:
        return replace(config, **values)
    except ConfigError:
        return None


def _repaged(history: History, size: int) -> History:
    """The same history with smaller pages: every page becomes one of ``size`` tokens, every amount as many pages as it was."""
    config, names = history.config, dict[Tokens, int]()

    def repaged(value: Any) -> Any:
        if isinstance(value, Key):
            return replace(value, tokens=tuple(_repaged_text(value.tokens, config, size, names)))
        if isinstance(value, tuple):
            return value[: repaged(len(value))]
        return -(-value // config.page_size) * size if type(value) is int else value

    operations = tuple(
        _replaced(
            operation,
            {
                name: repaged(value)
                for name, value in _values(operation).items()
                if name not in NOT_IN_TOKENS
            },
        )
        for operation in history.operations
    )
    lengths = {name: repaged(getattr(config, name)) for name in ("window", "load_threshold")}
    return replace(
        history, config=_replaced(config, {"page_size": size, **lengths}), operations=operations
    )


def _repaged_text(
    tokens: Tokens, config: Config, size: int, names: dict[Tokens, int]
) -> Iterator[int]:
    """Every page, by the number it has or gets in ``names``, ``size`` times; of the rest what makes no page."""
    more = int(config.bigram)
    whole = config.floor(max(0, len(tokens) - more))
    for start in range(0, whole, config.page_size):
        page = tokens[start : start + config.page_size]
        yield from [names.setdefault(page, len(names) + 1)] * size
    yield from tokens[whole:][: size - 1 + more]


COARSE = (
    _cut_short,
    _last_ones,
    partial(_without_stretches, patience=3),
    _without_kinds,
    _inserting_instead,
    _plainer_config,
    _without_stretches,
)
"""First and once: while a history is long, runs are slow. Where all of it seems to be needed, plainer things may need less."""
PASSES = (
    _without_single,
    _without_kinds,
    _waiting_instead,
    _inserting_instead,
    _part_instead,
    _plainer_config,
    _without_pages,
    _plainer_fields,
    _plainer_tokens,
)
"""In turns, those that leave the least to the others first."""

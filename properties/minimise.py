"""The minimiser: from a history that goes wrong to a shortest one that goes wrong in the same way.

It works on histories, not on random choices: any sub-list of operations is a history, so it may cut anywhere. It first drops
operations (halves, then quarters, ... then single ones), then makes what is left plainer (shorter prompts, smaller numbers, a
plainer configuration), and repeats until nothing more can be taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from radixproof.model.config import Config, ConfigError
from radixproof.model.history import History
from radixproof.model.operations import Evict, EvictHost, Insert, Key, Lock, Match, Operation, RunCopies, WritingCheck

Fails = Callable[[History], bool]


def minimise(history: History, fails: Fails, on_progress: Callable[[int], None] = lambda _: None) -> History:
    """The plainest history found that still ``fails``. No single operation of the result can be left out.

    ``history`` itself must fail. ``on_progress`` is told the number of operations whenever it shrinks.
    """
    tried: dict[tuple[Config, tuple[Operation, ...]], bool] = {}

    def still_fails(candidate: History) -> bool:
        known = (candidate.config, candidate.operations)
        if known not in tried:
            tried[known] = fails(candidate)
        return tried[known]

    while True:
        before = history
        history = _fewer(history, still_fails, on_progress)
        history = _plainer(history, still_fails)
        if history == before:
            break
    counted = _counted(history)
    return counted if still_fails(counted) else history


def _fewer(history: History, fails: Fails, on_progress: Callable[[int], None]) -> History:
    size = max(1, len(history.operations) // 2)
    while True:
        at = len(history.operations)
        while at > 0:
            start = max(0, at - size)
            rest = history.operations[:start] + history.operations[at:]
            candidate = replace(history, operations=rest)
            if len(rest) < len(history.operations) and fails(candidate):
                history = candidate
                on_progress(len(rest))
            at = start
        if size == 1:
            return history
        size = max(1, size // 2)


def _plainer(history: History, fails: Fails) -> History:
    improved = True
    while improved:
        improved = False
        for candidate in _candidates(history):
            if fails(candidate):
                history, improved = candidate, True
                break
    return history


def _candidates(history: History) -> Iterator[History]:
    """Histories one step plainer, the boldest first."""
    if history.config.page_size > 1:
        yield _with_small_pages(history)
    for config in _plainer_configs(history.config):
        if all(_fits(operation, config) for operation in history.operations):
            yield replace(history, config=config)
    yield from _plainer_keys(history)
    yield from _waiting_instead(history)
    for at, operation in enumerate(history.operations):
        for simpler in _plainer_operations(operation, history.config):
            yield replace(history, operations=(*history.operations[:at], simpler, *history.operations[at + 1 :]))


def _waiting_instead(history: History) -> Iterator[History]:
    """A blocking writing_check in place of running copies and polling."""
    for at, operation in enumerate(history.operations):
        if isinstance(operation, RunCopies):
            rest = list(history.operations[at + 1 :])
            check = next((later for later, other in enumerate(rest) if isinstance(other, WritingCheck)), None)
            if check is not None:
                rest[check] = WritingCheck(blocking=True)
                yield replace(history, operations=(*history.operations[:at], *rest))


def _with_small_pages(history: History) -> History:
    """The same history with pages of one token: every page becomes one token, every amount its number of pages."""
    size = history.config.page_size
    window = None if history.config.window is None else -(-history.config.window // size)
    names: dict[tuple[int, ...], int] = {}
    operations: list[Operation] = []
    for operation in _with_keys(history, partial(_one_a_page, size, names), 0).operations:
        amounts = {
            name: -(-getattr(operation, name) // size) for name in ("evicted", "full", "swa", "tokens") if hasattr(operation, name)
        }
        operations.append(replace(operation, **amounts))
    return replace(history, config=replace(history.config, page_size=1, window=window), operations=tuple(operations))


def _one_a_page(size: int, names: dict[tuple[int, ...], int], key: Key) -> Key:
    pages = [key.tokens[start : start + size] for start in range(0, len(key.tokens) - size + 1, size)]
    return replace(key, tokens=tuple(names.setdefault(page, len(names) + 1) for page in pages))


def _plainer_configs(config: Config) -> Iterator[Config]:
    """Plainer: FULL only, a small window, a threshold of 1, pools as large as the default (pressure only where it matters)."""
    plain = Config()
    changes: list[dict[str, int | None]] = []
    if config.window is not None:
        changes.append({"window": None, "swa_pages": 0, "swa_host_pages": 0})
        changes += [{"window": window} for window in range(1, config.window)]
    if config.threshold > 1:
        changes.append({"threshold": 1})
    roomy = {"device_pages": plain.device_pages, "host_pages": plain.host_pages}
    if config.window is not None:
        roomy |= {"swa_pages": plain.device_pages, "swa_host_pages": plain.host_pages}
    changes += [{name: size} for name, size in roomy.items() if getattr(config, name) != size]
    for change in changes:
        try:
            yield replace(config, **change)  # type: ignore[arg-type]
        except ConfigError:
            continue


def _fits(operation: Operation, config: Config) -> bool:
    if isinstance(operation, EvictHost) and operation.component not in config.components:
        return False
    return not (isinstance(operation, Insert) and operation.evicted % config.page_size)


def _plainer_keys(history: History) -> Iterator[History]:
    """The same token, or the same page, left out of all prompts at once; tokens and namespaces renamed to plainer ones."""
    size = history.config.page_size
    keys = list(dict.fromkeys(operation.key for operation in history.operations if isinstance(operation, Match | Insert | Lock)))
    longest = max((len(key.tokens) for key in keys), default=0)
    for start in range(0, longest, size):
        yield _with_keys(history, partial(_without, start, size), size)
    if any(key.namespace for key in keys):
        yield _with_keys(history, lambda key: replace(key, namespace=""), 0)
    for at in range(longest):
        for plain in (1, 2):
            changed = _with_keys(history, partial(_renamed, at, plain), 0)
            if _spelling(changed) < _spelling(history):
                yield changed


def _counted(history: History) -> History:
    """Prompts numbered by place where their tokens are 1, so that a single prompt reads 1 2 3."""
    return _with_keys(history, lambda key: replace(key, tokens=tuple(_numbered(key.tokens))), 0)


def _with_keys(history: History, change: Callable[[Key], Key], shorter: int) -> History:
    operations: list[Operation] = []
    for operation in history.operations:
        if isinstance(operation, Match | Insert | Lock):
            changed = replace(operation, key=change(operation.key))
            if isinstance(changed, Insert) and changed.evicted > len(changed.key.tokens):
                changed = replace(changed, evicted=max(0, changed.evicted - shorter))
            operation = changed
        operations.append(operation)
    return replace(history, operations=tuple(operations))


def _without(start: int, size: int, key: Key) -> Key:
    return replace(key, tokens=key.tokens[:start] + key.tokens[start + size :])


def _renamed(at: int, plain: int, key: Key) -> Key:
    return replace(key, tokens=(*key.tokens[:at], plain, *key.tokens[at + 1 :])) if at < len(key.tokens) else key


def _numbered(tokens: tuple[int, ...]) -> Iterator[int]:
    """Tokens that were 1 become their place; others stay apart from every place."""
    for at, token in enumerate(tokens, 1):
        yield at if token == 1 else 100 * (token - 1) + at


def _spelling(history: History) -> list[tuple[int, ...]]:
    return [operation.key.tokens for operation in history.operations if isinstance(operation, Match | Insert | Lock)]


def _plainer_operations(operation: Operation, config: Config) -> Iterator[Operation]:
    size = config.page_size
    match operation:
        case Insert(_, evicted, reuse):
            if reuse:
                yield replace(operation, reuse=False)
            yield from (replace(operation, evicted=less) for less in range(0, evicted, size))
        case Evict(full, swa):
            if full and swa:
                yield Evict(full, 0)
                yield Evict(0, swa)
            if swa and not full:
                yield Evict(swa, 0)
            yield from (Evict(less, swa) for less in range(size, full, size))
            yield from (Evict(full, less) for less in range(size, swa, size))
        case EvictHost(tokens, component):
            yield from (EvictHost(less, component) for less in range(size, tokens, size))
        case RunCopies(count):
            yield from (RunCopies(less) for less in range(1, count))
        case WritingCheck(True):
            yield WritingCheck(False)
    if isinstance(operation, Match | Insert | Lock):
        for length in range(0, len(operation.key.tokens), size):
            shorter = replace(operation, key=replace(operation.key, tokens=operation.key.tokens[:length]))
            if not (isinstance(shorter, Insert) and shorter.evicted > length):
                yield shorter

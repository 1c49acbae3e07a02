"""Passes that make all prompts plainer together, so that shared prefixes stay shared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from radixproof.impl.operations import Operation
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.search.minimise.best import Shrinking
from radixproof.properties.search.minimise.fields import (
    changed,
    replaced,
    text_like,
    texts_of,
    values_of,
)
from radixproof.properties.search.minimise.plainer_operations import without_page


def without_pages(now: Shrinking) -> None:
    """Try all prompts without the page at one place, from the last place to the first."""
    size = now.best.config.page_size
    longest = max(
        (len(tokens) for operation in now.operations for tokens in texts_of(operation).values()),
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
    for name, value in values_of(operation).items():
        if isinstance(value, Key):
            operation = changed(
                operation, config, without_page(operation, name, start, config.page_size, slides)
            )
    return operation


def plainer_tokens(now: Shrinking) -> None:
    """Try no namespaces, prompts that agree at more places, and tokens named after their place.

    The tokens of one prompt become 1 2 3 ..., other tokens at the same places 101, 201, ...
    """
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
    keys = {name: value for name, value in values_of(operation).items() if isinstance(value, Key)}
    return replaced(operation, {name: replace(key, namespace="") for name, key in keys.items()})


def _placed(operations: Iterable[Operation]) -> Iterator[tuple[Operation, dict[str, int]]]:
    """Operations with the places at which their texts begin.

    A prompt begins at 0, generated tokens at the length their request has reached.
    """
    ends: dict[str, int] = {}
    for operation in operations:
        starts: dict[str, int] = {}
        whose = next(
            (value for value in values_of(operation).values() if isinstance(value, str)), ""
        )
        for name, tokens in texts_of(operation).items():
            starts[name] = 0 if isinstance(getattr(operation, name), Key) else ends.get(whose, 0)
            ends[whose] = starts[name] + len(tokens)
        yield operation, starts


def _alphabet(operations: Iterable[Operation]) -> dict[int, list[int]]:
    """The tokens at each place, in the order in which they first occur."""
    alphabet: dict[int, dict[int, None]] = {}
    for operation, starts in _placed(operations):
        for name, tokens in texts_of(operation).items():
            for place, token in enumerate(tokens, starts[name]):
                alphabet.setdefault(place, {})[token] = None
    return {place: list(tokens) for place, tokens in sorted(alphabet.items())}


def _respelled(
    operations: Iterable[Operation], names: Mapping[tuple[int, int], int]
) -> Iterator[Operation]:
    """The same operations with other tokens: ``names`` has them by place and token."""
    for operation, starts in _placed(operations):
        changes = {}
        for name, tokens in texts_of(operation).items():
            spelling = [names.get(place, place[1]) for place in enumerate(tokens, starts[name])]
            changes[name] = text_like(operation, name, spelling)
        yield replaced(operation, changes)

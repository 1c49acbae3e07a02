"""Passes that make the configuration plainer: smaller pages, fewer components, defaults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

from radixproof.impl.operations import History
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.search.minimise.best import Shrinking, lower
from radixproof.properties.search.minimise.fields import (
    Tokens,
    defaults_of,
    reconfigured,
    replaced,
    values_of,
)

PLAIN = Config()
NOT_IN_TOKENS = ("mamba", "count", "rank", "priority")
"""Numbers in operations that stay as they are when pages get smaller. All others are in tokens."""


def plainer_config(now: Shrinking) -> None:
    """Try smaller pages, no more components than needed, all else at its default or
    nearer to it.
    """
    lower(now.best.config.page_size, 1, lambda size: now.accepts(_repaged(now.best, size)))
    defaults = defaults_of(now.best.config)
    unusual = [
        name
        for name, value in values_of(now.best.config).items()
        if value != defaults[name] and name != "page_size"
    ]
    tied = [
        name for name in unusual if reconfigured(now.best.config, {name: defaults[name]}) is None
    ]
    for names in (*combinations(tied, 3), *combinations(tied, 2), *combinations(unusual, 1)):
        now.accepts_config({name: defaults[name] for name in names})
    for name in unusual:
        _usual_size(now, name, defaults[name])


def _usual_size(now: Shrinking, name: str, default: Any) -> None:
    """Try a number at its default, or nearer to it from above.

    The pool of a component that stays is tried at the size of that of FULL.
    """
    value = getattr(now.best.config, name)
    if type(value) is int:
        pool = PLAIN.host_pages if "host" in name else PLAIN.device_pages
        usual = default or (pool if default == 0 and value else 1)
        if not now.accepts_config({name: usual}):
            lower(value, usual, lambda less: now.accepts_config({name: less}))


def _repaged(history: History, size: int) -> History:
    """The same history with smaller pages.

    Every page becomes one of ``size`` tokens, every amount as many pages as it was.
    """
    config, names = history.config, dict[Tokens, int]()

    def repaged(value: Any) -> Any:
        if isinstance(value, Key):
            return replace(value, tokens=tuple(_repaged_text(value.tokens, config, size, names)))
        if isinstance(value, tuple):
            return value[: repaged(len(value))]
        return -(-value // config.page_size) * size if type(value) is int else value

    operations = tuple(
        replaced(
            operation,
            {
                name: repaged(value)
                for name, value in values_of(operation).items()
                if name not in NOT_IN_TOKENS
            },
        )
        for operation in history.operations
    )
    lengths = {name: repaged(getattr(config, name)) for name in ("window", "load_threshold")}
    return replace(
        history, config=replaced(config, {"page_size": size, **lengths}), operations=operations
    )


def _repaged_text(
    tokens: Tokens, config: Config, size: int, names: dict[Tokens, int]
) -> Iterator[int]:
    """For every page its number in ``names``, ``size`` times; then a rest of less than a page."""
    more = int(config.bigram)
    whole = config.floor(max(0, len(tokens) - more))
    for start in range(0, whole, config.page_size):
        page = tokens[start : start + config.page_size]
        yield from [names.setdefault(page, len(names) + 1)] * size
    yield from tokens[whole:][: size - 1 + more]

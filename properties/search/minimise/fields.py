"""What operations and configurations are made of, by the types of their fields alone.

Numbers, flags and enumerations have defaults, texts have tokens. So a new operation is shrunk
without any change here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, replace
from enum import Enum
from typing import Any

from radixproof.impl.operations import Operation
from radixproof.model.config import Component, Config, ConfigError, Pool
from radixproof.model.key import Key

Tokens = tuple[int, ...]


def values_of(thing: Any) -> dict[str, Any]:
    return {item.name: getattr(thing, item.name) for item in fields(thing)}


def replaced(thing: Any, values: Mapping[str, Any]) -> Any:
    return replace(thing, **values)


def defaults_of(thing: Any) -> dict[str, Any]:
    """The plainest values: the defaults.

    A field without one gets the first member of an enumeration, zero, false or an empty tuple.
    """
    return {
        item.name: _plainest(getattr(thing, item.name)) if item.default is MISSING else item.default
        for item in fields(thing)
    }


def _plainest(value: Any) -> Any:
    if isinstance(value, Enum):
        return next(iter(type(value)))
    return type(value)() if isinstance(value, int | tuple) else value


def changed(operation: Operation, config: Config, values: Mapping[str, Any]) -> Any:
    """The operation with other values; ``evicted`` stays in whole pages, and within the prompt."""
    other = replaced(operation, values)
    if evicted := getattr(other, "evicted", 0):
        return replace(other, evicted=config.floor(min(evicted, len(other.key.tokens))))
    return other


def lacking(operation: Operation, config: Config) -> set[str]:
    """Fields that name a component, a pool or a rank that a cache of this configuration lacks."""
    absent = [
        component.name.lower() for component in Component if component not in config.components
    ]
    return {
        name
        for name, value in values_of(operation).items()
        if (isinstance(value, Component) and value not in config.components)
        or (isinstance(value, Pool) and value not in config.pools)
        or (name == "rank" and value >= config.ranks)
        or (name in absent and value)
    }


def texts_of(operation: Operation) -> dict[str, Tokens]:
    """Fields that hold tokens: prompts, and what is generated."""
    texts = {
        name: value.tokens if isinstance(value, Key) else value
        for name, value in values_of(operation).items()
    }
    return {name: tokens for name, tokens in texts.items() if isinstance(tokens, tuple)}


def text_like(operation: Operation, name: str, tokens: Iterable[int]) -> Any:
    """The value of such a field for other tokens."""
    value = getattr(operation, name)
    return replace(value, tokens=tuple(tokens)) if isinstance(value, Key) else tuple(tokens)


def reconfigured(config: Config, values: Mapping[str, Any]) -> Config | None:
    """The configuration with other values, or None if no cache can be built with it."""
    try:
        return replace(config, **values)
    except ConfigError:
        return None

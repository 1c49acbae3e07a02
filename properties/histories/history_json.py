"""Histories as files, JSON with one operation a line.

They come from strangers: a refusal names the place of the first error.

What is read is bounded before anything is built from it (`limits`), so that no file can use up
memory or time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import Enum
from typing import Any

import msgspec

from radixproof.impl.operations import History, Operation
from radixproof.model.config import Component, Config, ConfigError, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.histories.limits import (
    LARGEST_NUMBER,
    MOST_BRACKETS,
    MOST_OPERATIONS,
    MOST_RANKS,
    MOST_SLOTS,
    MOST_TOKENS_IN_ALL,
    MOST_VALUES,
)
from radixproof.properties.histories.schema import (
    DOCUMENT,
    FIELDS,
    KINDS,
    complaint,
    name_refused,
    shown,
)
from radixproof.properties.histories.upgrades import FORMAT, upgraded


class HistoryError(ValueError):
    """A history that cannot be read. The message names the place and what is wrong there."""


# -- writing -------------------------------------------------------------------------------------


def to_json(history: History) -> str:
    """One operation a line, so that files can be read and compared.

    The same history is the same text.
    """
    config = {name: _plain(value) for name, value in asdict(history.config).items()}
    head = {
        "radixproof": FORMAT,
        **({"origin": dict(history.origin)} if history.origin else {}),
        "config": config,
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    steps = ",\n".join("    " + json.dumps(_encode(operation)) for operation in history.operations)
    return "{\n" + "\n".join(lines) + '\n  "operations": [\n' + steps + "\n  ]\n}\n"


def _plain(value: object) -> object:
    """Enumerations by name, in lower case; anything else as JSON writes it."""
    return value.name.lower() if isinstance(value, Enum) else value


def _encode(operation: Operation) -> dict[str, object]:
    """The operation's name, its main fields, and those that differ from their defaults."""
    data: dict[str, object] = {"op": operation.name}
    for item in fields(operation):
        value = getattr(operation, item.name)
        if isinstance(value, Key):
            data["tokens"] = list(value.tokens)
            if value.namespace:
                data["namespace"] = value.namespace
        elif value != item.default:
            data[item.name] = _plain(value)
    return data


# -- reading -------------------------------------------------------------------------------------


def from_json(text: str) -> History:
    """Read what `to_json` wrote, in this version or an older one. Raises `HistoryError`."""
    document = _document(text)
    try:
        read: Any = msgspec.convert(document, DOCUMENT)
    except msgspec.ValidationError as error:
        raise HistoryError(complaint(error, document)) from None
    tokens = sum(len(item.tokens) for item in read.operations if _has_tokens(item))
    if tokens > MOST_TOKENS_IN_ALL:
        raise HistoryError(
            f"operations: must have at most {MOST_TOKENS_IN_ALL:,} tokens in all, got {tokens:,}"
        )
    config = _config(read.config)
    operations = (
        _operation(item, config, f"operations[{at}]") for at, item in enumerate(read.operations)
    )
    return History(config, tuple(operations), read.origin)


def _has_tokens(read: Any) -> bool:
    """Whether an operation has a list of tokens; that of an eviction is a number."""
    return isinstance(getattr(read, "tokens", None), tuple)


def _document(text: str) -> dict[str, Any]:
    """The JSON of any known format, brought to the current one."""
    _check_size(text)
    try:
        document = json.loads(text, object_pairs_hook=_object)
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise HistoryError(
            f"not JSON (is it cut short, or not the .json of a finding?): {error}"
        ) from None
    except RecursionError:
        raise HistoryError(
            "not a history: its brackets are nested too deeply; those of a history are four deep"
        ) from None
    except UnicodeEncodeError:
        raise HistoryError("not a history: a text in it holds half a character") from None
    except HistoryError:
        raise
    except ValueError:
        raise HistoryError(
            "not a history: a number in it has thousands of digits; the largest there may be is"
            f" {LARGEST_NUMBER:,}"
        ) from None
    number = document.get("radixproof") if isinstance(document, dict) else None
    if type(number) is not int or not 1 <= number <= FORMAT:
        newer = type(number) is int and number > FORMAT
        hint = " (a newer radixproof wrote it; this one is too old to read it)" if newer else ""
        raise HistoryError(
            f'not a history: the top level must be an object with "radixproof": {FORMAT}{hint}'
        )
    return upgraded(document, number)


def _check_size(text: str) -> None:
    """Whether there is more in a file than a history can have, as far as that can be seen without
    building it: every list, object and value takes much more memory than its text.
    """
    brackets, values = text.count("[") + text.count("{"), text.count(",")
    if brackets > MOST_BRACKETS:
        raise HistoryError(
            f"not a history: it has {brackets:,} opening brackets; one with {MOST_OPERATIONS:,}"
            f" operations, the most there may be, has at most {MOST_BRACKETS:,}"
        )
    if values > MOST_VALUES:
        raise HistoryError(
            f"not a history: it has {values:,} commas; one with {MOST_TOKENS_IN_ALL:,} tokens and"
            f" {MOST_OPERATIONS:,} operations, the most there may be, has at most {MOST_VALUES:,}"
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which no name may stand twice: JSON does not say which of them holds."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise HistoryError(f"not a history: {shown(twice)} stands twice in {shown(found)}")
    return found


def _config(read: Any) -> Config:
    values = _values(Config, read)
    try:
        config = Config(**values)
    except ConfigError as error:
        raise HistoryError(f"config: {error}") from None
    if config.ranks > MOST_RANKS:
        raise HistoryError(f"config.ranks: must be at most {MOST_RANKS}, got {config.ranks:,}")
    slots = {pool.name: config.ranks * config.slots(pool) for pool in config.pools}
    if sum(slots.values()) > MOST_SLOTS:
        largest = max(slots, key=slots.__getitem__)
        raise HistoryError(
            f"config: all pools together would have {sum(slots.values()):,} slots (pages times page"
            f" size times ranks; {largest} alone has {slots[largest]:,}); there may be at most"
            f" {MOST_SLOTS:,}"
        )
    return config


def _operation(read: Any, config: Config, where: str) -> Operation:
    kind = KINDS[read.__struct_config__.tag]
    values = _values(kind, read)
    for name, value in values.items():
        if isinstance(value, str):
            _name(name, value, f"{where}.{name}")
    _fits(values, config, where)
    if "tokens" in values and "key" in {item.name for item in fields(kind)}:
        values["key"] = Key(values.pop("tokens"), values.pop("namespace"))
    operation: Operation = kind(**values)
    return operation


def _values(kind: type, read: Any) -> dict[str, Any]:
    """The fields that were read, with enumerations as their members."""
    enums = {Component: Component, Pool: Pool, EvictionPolicy: EvictionPolicy}
    values = {}
    for name, (hint, _) in FIELDS[kind].items():
        value = getattr(read, name)
        values[name] = enums[hint][value.upper()] if hint in enums else value
    return values


def _name(name: str, value: str, where: str) -> None:
    """Receipts and requests must have a name; a namespace may be empty."""
    if not value and name != "namespace":
        raise HistoryError(f"{where}: must not be empty")
    if value and not value.isidentifier():
        raise HistoryError(name_refused(where, value))


def _fits(values: Mapping[str, Any], config: Config, where: str) -> None:
    """What an operation names must exist in a cache of this configuration."""
    if values.get("evicted", 0) % config.page_size:
        raise HistoryError(
            f"{where}.evicted: must be a multiple of the page size {config.page_size},"
            f" got {values['evicted']}"
        )
    if values.get("component", Component.FULL) not in config.components:
        raise HistoryError(f"{where}.component: this cache has no {values['component'].name}")
    if values.get("rank", 0) >= config.ranks:
        ranks = "1 rank" if config.ranks == 1 else f"{config.ranks} ranks"
        raise HistoryError(
            f"{where}.rank: this cache has {ranks}, counted from 0, got {values['rank']}"
        )

"""Histories as files, JSON with one operation a line. They come from strangers: reading names the place of the first fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, asdict, fields
from enum import Enum
from typing import Any, TypeVar

from radixproof.impl.operations import OPERATIONS, History, Operation
from radixproof.model.config import Component, Config, ConfigError, EvictionPolicy, Pool
from radixproof.model.key import Key

FORMAT = 2
"""1 called the eviction policy ``order``."""
NAMES = ("receipt", "request")

E = TypeVar("E", bound=Enum)


class HistoryError(ValueError):
    """A history that cannot be read. The message names the place and what is wrong there."""


def to_json(history: History) -> str:
    """One operation a line, so that files can be read and compared."""
    config = {name: _plain(value) for name, value in asdict(history.config).items()}
    head = {
        "radixproof": FORMAT,
        **({"origin": dict(history.origin)} if history.origin else {}),
        "config": config,
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    steps = ",\n".join("    " + json.dumps(_encode(operation)) for operation in history.operations)
    return "{\n" + "\n".join(lines) + '\n  "operations": [\n' + steps + "\n  ]\n}\n"


def from_json(text: str) -> History:
    """Read what `to_json` wrote. Raises `HistoryError`."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise HistoryError(
            f"not JSON (is it cut short, or not the .json of a finding?): {error}"
        ) from None
    if not isinstance(data, dict) or data.get("radixproof") not in (1, FORMAT):
        raise HistoryError(
            f'not a history: the top level must be an object with "radixproof": {FORMAT}'
        )
    _only(data, {"radixproof", "origin", "config", "operations"}, "the top level")
    origin = data.get("origin", {})
    if not isinstance(origin, dict) or not all(isinstance(value, str) for value in origin.values()):
        raise HistoryError("origin: must be an object of strings")
    operations = data.get("operations")
    if not isinstance(operations, list):
        raise HistoryError("operations: must be a list")
    config = data.get("config")
    if data["radixproof"] == 1 and isinstance(config, dict) and "order" in config:
        config = {
            ("eviction_policy" if name == "order" else name): value
            for name, value in config.items()
        }
    config = _config(config)
    return History(
        config,
        tuple(_decode(item, f"operations[{at}]", config) for at, item in enumerate(operations)),
        origin,
    )


def _only(data: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise HistoryError(
            f"{where}: unknown field {unknown[0]!r} (known: {', '.join(sorted(known))})"
        )


def _config(data: object) -> Config:
    if not isinstance(data, dict):
        raise HistoryError("config: must be an object")
    known = {item.name: item for item in fields(Config)}
    _only(data, set(known), "config")
    try:
        values: dict[str, Any] = {
            name: _read(known[name], value, f"config.{name}") for name, value in data.items()
        }
        return Config(**values)
    except ConfigError as error:
        raise HistoryError(f"config: {error}") from None


def _plain(value: object) -> object:
    """Enumerations by name, in lower case; anything else as JSON writes it."""
    return value.name.lower() if isinstance(value, Enum) else value


def _encode(operation: Operation) -> dict[str, object]:
    """The operation's name, what it is about, and what is not as usual."""
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


def _decode(data: object, where: str, config: Config) -> Operation:
    if not isinstance(data, dict):
        raise HistoryError(f"{where}: must be an object")
    kind = next((kind for kind in OPERATIONS if kind.name == data.get("op")), None)
    if kind is None:
        known = ", ".join(kind.name for kind in OPERATIONS)
        raise HistoryError(f"{where}.op: unknown operation {data.get('op')!r} (known: {known})")
    names = {item.name for item in fields(kind)}
    _only(
        data,
        names - {"key"} | ({"tokens", "namespace"} if "key" in names else set()) | {"op"},
        where,
    )
    values: dict[str, Any] = {}
    for item in fields(kind):
        if item.name == "key":
            tokens = _tokens(data.get("tokens"), f"{where}.tokens")
            values["key"] = Key(tokens, _name(data.get("namespace", ""), f"{where}.namespace"))
        elif item.name in data:
            values[item.name] = _read(item, data[item.name], f"{where}.{item.name}")
        elif item.default is MISSING:
            raise HistoryError(f"{where}.{item.name}: missing")
    _fits(values, config, where)
    operation: Operation = kind(**values)
    return operation


def _fits(values: Mapping[str, Any], config: Config, where: str) -> None:
    if values.get("evicted", 0) % config.page_size:
        raise HistoryError(
            f"{where}.evicted: must be a multiple of the page size {config.page_size}, got {values['evicted']}"
        )
    if values.get("component", Component.FULL) not in config.components:
        raise HistoryError(f"{where}.component: this cache has no {values['component'].name}")
    if values.get("rank", 0) >= config.ranks:
        raise HistoryError(
            f"{where}.rank: this cache has {config.ranks} ranks, counted from 0, got {values['rank']}"
        )


def _read(item: Field[Any], value: object, where: str) -> object:
    """The value of a field, by its type."""
    kind = str(item.type)
    if value is None and kind.endswith("| None"):
        return None
    read = _READ[kind.removesuffix(" | None")](value, where)
    if item.name in NAMES and not read:
        raise HistoryError(f"{where}: must not be empty")
    return read


def _count(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise HistoryError(f"{where}: must be a whole number of 0 or more, got {value!r}")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise HistoryError(f"{where}: must be true or false, got {value!r}")
    return value


def _name(value: object, where: str) -> str:
    if not isinstance(value, str) or (value and not value.isidentifier()):
        raise HistoryError(
            f"{where}: must be a name of letters, digits and underscores, got {value!r}"
        )
    return value


def _one_of(kind: type[E]) -> Callable[[object, str], E]:
    known = {member.name.lower(): member for member in kind}

    def read(value: object, where: str) -> E:
        if not isinstance(value, str) or value not in known:
            raise HistoryError(f"{where}: must be one of {', '.join(known)}, got {value!r}")
        return known[value]

    return read


def _tokens(value: object, where: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise HistoryError(f"{where}: must be a list of tokens")
    return tuple(_count(token, f"{where}[{at}]") for at, token in enumerate(value))


_READ: dict[str, Callable[[object, str], object]] = {
    "int": _count,
    "bool": _flag,
    "str": _name,
    "tuple[int, ...]": _tokens,
    "Component": _one_of(Component),
    "Pool": _one_of(Pool),
    "EvictionPolicy": _one_of(EvictionPolicy),
}

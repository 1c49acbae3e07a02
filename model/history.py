"""Histories: a configuration and a list of operations, as data that can be printed, stored and replayed on any system.

A history file is JSON and comes from strangers: reading validates everything and names the place of the first fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from radixproof.model.config import Component, Config, ConfigError
from radixproof.model.operations import OPERATIONS, Key, Operation

FORMAT = 1


class HistoryError(ValueError):
    """A history that cannot be read. The message names the place and what is wrong there."""


@dataclass(frozen=True, slots=True)
class History:
    """Operations in order on a cache of one configuration. Every sub-list of the operations is a history, too."""

    config: Config
    operations: tuple[Operation, ...]
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where it comes from (system, seed, signature of the finding): for people, never read by anything that decides."""

    def __str__(self) -> str:
        return "\n".join(f"{number:3}. {operation}" for number, operation in enumerate(self.operations, 1))


def to_json(history: History) -> str:
    """One operation a line, so that files can be read and compared."""
    head = {"radixproof": FORMAT, **({"origin": dict(history.origin)} if history.origin else {}), "config": asdict(history.config)}
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    steps = ",\n".join("    " + json.dumps(_encode(operation)) for operation in history.operations)
    return "{\n" + "\n".join(lines) + '\n  "operations": [\n' + steps + "\n  ]\n}\n"


def from_json(text: str) -> History:
    """Read what `to_json` wrote. Raises `HistoryError`."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise HistoryError(f"not JSON (is it cut short, or not the .json of a finding?): {error}") from None
    if not isinstance(data, dict) or data.get("radixproof") != FORMAT:
        raise HistoryError(f'not a history: the top level must be an object with "radixproof": {FORMAT}')
    _only(data, {"radixproof", "origin", "config", "operations"}, "the top level")
    origin = data.get("origin", {})
    if not isinstance(origin, dict) or not all(isinstance(value, str) for value in origin.values()):
        raise HistoryError("origin: must be an object of strings")
    operations = data.get("operations")
    if not isinstance(operations, list):
        raise HistoryError("operations: must be a list")
    config = _config(data.get("config"))
    return History(config, tuple(_decode(item, f"operations[{at}]", config) for at, item in enumerate(operations)), origin)


def _only(data: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise HistoryError(f"{where}: unknown field {unknown[0]!r} (known: {', '.join(sorted(known))})")


def _config(data: object) -> Config:
    if not isinstance(data, dict):
        raise HistoryError("config: must be an object")
    _only(data, {item.name for item in fields(Config)}, "config")
    for name, value in data.items():
        if not (name == "window" and value is None):
            _count(value, f"config.{name}")
    try:
        return Config(**data)
    except ConfigError as error:
        raise HistoryError(f"config: {error}") from None


def _encode(operation: Operation) -> dict[str, object]:
    data: dict[str, object] = {"op": operation.name}
    for item in fields(operation):
        value = getattr(operation, item.name)
        if isinstance(value, Key):
            data["tokens"] = list(value.tokens)
            if value.namespace:
                data["namespace"] = value.namespace
        else:
            data[item.name] = value.name.lower() if isinstance(value, Component) else value
    return data


def _decode(data: object, where: str, config: Config) -> Operation:
    if not isinstance(data, dict):
        raise HistoryError(f"{where}: must be an object")
    kind = next((kind for kind in OPERATIONS if kind.name == data.get("op")), None)
    if kind is None:
        raise HistoryError(
            f"{where}.op: unknown operation {data.get('op')!r} (known: {', '.join(kind.name for kind in OPERATIONS)})"
        )
    names = {item.name for item in fields(kind)}
    _only(data, names - {"key"} | ({"tokens", "namespace"} if "key" in names else set()) | {"op"}, where)
    values: dict[str, Any] = {}
    for name in sorted(names):
        if name == "key":
            values[name] = Key(
                _tokens(data.get("tokens"), f"{where}.tokens"), _name(data.get("namespace", ""), f"{where}.namespace")
            )
        elif name in data:
            values[name] = _READ[name](data[name], f"{where}.{name}")
    if "receipt" in names and "receipt" not in values:
        raise HistoryError(f"{where}.receipt: missing")
    try:
        operation: Operation = kind(**values)
    except TypeError:
        missing = next(item.name for item in fields(kind) if item.name not in values)
        raise HistoryError(f"{where}.{missing}: missing") from None
    _fits(values, config, where)
    return operation


def _fits(values: Mapping[str, Any], config: Config, where: str) -> None:
    if values.get("evicted", 0) % config.page_size:
        raise HistoryError(f"{where}.evicted: must be a multiple of the page size {config.page_size}, got {values['evicted']}")
    if values.get("component", Component.FULL) not in config.components:
        raise HistoryError(f"{where}.component: this cache has no {values['component'].name}")


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
        raise HistoryError(f"{where}: must be a name of letters, digits and underscores, got {value!r}")
    return value


def _receipt(value: object, where: str) -> str:
    if not _name(value, where):
        raise HistoryError(f"{where}: must not be empty")
    return str(value)


def _component(value: object, where: str) -> Component:
    known = {component.name.lower(): component for component in Component}
    if not isinstance(value, str) or value not in known:
        raise HistoryError(f"{where}: must be one of {', '.join(known)}, got {value!r}")
    return known[value]


def _tokens(value: object, where: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise HistoryError(f"{where}: must be a list of tokens")
    return tuple(_count(token, f"{where}[{at}]") for at, token in enumerate(value))


_READ: dict[str, Callable[[object, str], object]] = {
    "evicted": _count,
    "reuse": _flag,
    "receipt": _receipt,
    "full": _count,
    "swa": _count,
    "tokens": _count,
    "component": _component,
    "count": _count,
    "blocking": _flag,
}

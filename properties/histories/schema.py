"""What a history file may hold: the types of its fields and their limits, and the sentence for a
value of the wrong type.

The types are made from the fields of configurations and operations, so that a new operation needs
no change here. msgspec compares a document with them and names the place of the first thing that
does not fit; the sentence about it is written here.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from radixproof.impl.operations import OPERATIONS
from radixproof.model.config import Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key
from radixproof.properties.histories.limits import (
    LARGEST_NUMBER,
    LONGEST_NAME,
    LONGEST_ORIGIN,
    MOST_OPERATIONS,
    MOST_TOKENS,
)

Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)]
Signed = Annotated[int, msgspec.Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Tokens = Annotated[tuple[Count, ...], msgspec.Meta(max_length=MOST_TOKENS)]
Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
OriginText = Annotated[str, msgspec.Meta(max_length=LONGEST_ORIGIN)]
NAMED: tuple[type[Enum], ...] = (Component, Pool, EvictionPolicy)
"""Enumerations; files hold the names of their members, in lower case."""
SIGNED = ("priority",)
"""Fields with numbers that may be below 0."""


def names_of(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(member.name.lower() for member in kind)


_IN_FILES: dict[Any, Any] = {
    int: Count,
    Signed: Signed,
    int | None: Count | None,
    bool: bool,
    str: Name,
    str | None: Name | None,
    tuple[int, ...]: Tokens,
    **{kind: Literal[names_of(kind)] for kind in NAMED},
}

_WORDS: dict[Any, str] = {
    int: f"must be a whole number of 0 or more, at most {LARGEST_NUMBER:,}",
    Signed: f"must be a whole number from -{LARGEST_NUMBER:,} to {LARGEST_NUMBER:,}",
    int | None: f"must be a whole number of 0 or more, at most {LARGEST_NUMBER:,}, or null",
    bool: "must be true or false",
    str: f"must be a name of at most {LONGEST_NAME:,} letters, digits and underscores",
    str | None: (
        f"must be a name of at most {LONGEST_NAME:,} letters, digits and underscores, or null"
    ),
    **{kind: f"must be one of {', '.join(names_of(kind))}" for kind in NAMED},
}


def _declared(kind: type) -> dict[str, tuple[Any, Any]]:
    """The fields of a configuration or an operation as files have them: type and default, by name.

    A key is written as its tokens and its namespace.
    """
    hints = get_type_hints(kind)
    found: dict[str, tuple[Any, Any]] = {}
    for item in fields(kind):
        if hints[item.name] is Key:
            found |= {"tokens": (tuple[int, ...], MISSING), "namespace": (str, "")}
        else:
            hint = Signed if item.name in SIGNED else hints[item.name]
            found[item.name] = (hint, item.default)
    return found


FIELDS: dict[Any, dict[str, tuple[Any, Any]]] = {
    kind: _declared(kind) for kind in (Config, *OPERATIONS)
}


def _struct(kind: type, **more: Any) -> type[msgspec.Struct]:
    columns: list[Any] = []
    for name, (hint, default) in FIELDS[kind].items():
        written = default.name.lower() if isinstance(default, NAMED) else default
        columns.append((name, _IN_FILES[hint], *(() if default is MISSING else (written,))))
    return msgspec.defstruct(
        kind.__name__, columns, kw_only=True, frozen=True, forbid_unknown_fields=True, **more
    )


CONFIG = _struct(Config)
OPERATION = {kind.name: _struct(kind, tag_field="op", tag=kind.name) for kind in OPERATIONS}
KINDS = {kind.name: kind for kind in OPERATIONS}
_ANY_OPERATION: Any = reduce(or_, OPERATION.values())

DOCUMENT = msgspec.defstruct(
    "History",
    [
        ("radixproof", int),
        ("config", CONFIG),
        (
            "operations",
            Annotated[
                tuple[_ANY_OPERATION, ...],
                msgspec.Meta(max_length=MOST_OPERATIONS),
            ],
        ),
        ("origin", dict[OriginText, OriginText], msgspec.field(default_factory=dict)),
    ],
    forbid_unknown_fields=True,
)
"""A whole file, in the current format."""


# -- what does not fit, in words -----------------------------------------------------------------


def complaint(error: msgspec.ValidationError, document: Mapping[str, Any]) -> str:
    """The place in a document that msgspec refused, what is wrong there, and what it must be."""
    for name in document:
        if name not in DOCUMENT.__struct_fields__:
            return _unknown("the top level", name, DOCUMENT.__struct_fields__)
    prose, found, path = str(error).rpartition(" - at `$")
    prose, place = (prose, path.removesuffix("`").removeprefix(".")) if found else (path, "")
    if place.startswith("origin"):
        limit = f"at most {LONGEST_ORIGIN:,} characters"
        return f"origin: must be an object of strings, each of {limit}"
    if unknown := re.search("unknown field `(.*)`", prose, re.DOTALL):
        return _unknown(place, unknown[1], _fields_at(place, document))
    if missing := re.search("missing required field `(.*)`", prose):
        return f"{place}.{missing[1]}: missing".removeprefix(".")
    return _refused(place, _value_at(place, document), document)


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    return f"{where}: unknown field {shown(name)} (known: {', '.join(sorted(known))})"


def _fields_at(place: str, document: Mapping[str, Any]) -> list[str]:
    if place == "config":
        return list(FIELDS[Config])
    return ["op", *FIELDS[KINDS[_value_at(place, document)["op"]]]]


def _refused(place: str, value: object, document: Mapping[str, Any]) -> str:
    """What must stand at a place where ``value`` may not."""
    top, _, within = place.partition(".")
    if place == "operations":
        limit = f"a list of at most {MOST_OPERATIONS:,} operations"
        return f"operations: must be {limit}, got {_counted(value, 'operations')}"
    if not within:
        return f"{place}: must be an object, got {shown(value)}"
    if within == "op":
        return f"{place}: unknown operation {shown(value)} (known: {', '.join(OPERATION)})"
    name, _, token = within.partition("[")
    kind = Config if top == "config" else KINDS[_value_at(top, document)["op"]]
    hint = int if token else FIELDS[kind][name][0]
    if hint == tuple[int, ...]:
        limit = f"a list of at most {MOST_TOKENS:,} tokens"
        return f"{place}: must be {limit}, got {_counted(value, 'tokens')}"
    return f"{place}: {_WORDS[hint]}, got {shown(value)}"


def name_refused(place: str, value: str) -> str:
    return f"{place}: {_WORDS[str]}, got {shown(value)}"


def _counted(value: object, items: str) -> str:
    """A list by its length; anything else as it is in the file."""
    return f"{len(value):,} {items}" if isinstance(value, list) else shown(value)


def _value_at(place: str, document: Any) -> Any:
    for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        document = document[name] if name else document[int(number)]
    return document


def shown(value: object) -> str:
    """A value as it is in the file, cut if long: it comes from strangers."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = 60
    return shortened.repr(value)

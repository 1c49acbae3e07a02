"""Where two answers differ, as narrowly as it takes to read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import NamedTuple

READABLE = 160
"""Characters of an answer that can be compared with another by eye."""


class Difference(NamedTuple):
    """The first place where two answers differ, and what each has there."""

    place: str
    one: object
    other: object


def difference(what: str, one: object, other: object) -> Difference:
    """Where two answers that differ do so: all of them if they are short enough to be compared by
    eye, or else the first part of them that is not the same in both.
    """
    if max(len(repr(one)), len(repr(other))) > READABLE:
        for place, part, counterpart in _paired(what, one, other):
            if part != counterpart:
                return difference(place, part, counterpart)
    return Difference(what, one, other)


def _paired(what: str, one: object, other: object) -> Iterator[tuple[str, object, object]]:
    """Parts of two answers, each with its counterpart; none if they have no parts in common."""
    if type(one) is not type(other):
        return
    if isinstance(one, tuple) and hasattr(one, "_fields"):
        names = one._fields
    elif is_dataclass(one):
        names = tuple(field.name for field in fields(one))
    else:
        yield from _paired_by_key(what, one, other)
        return
    for name in names:
        yield f"{what}.{name}", getattr(one, name), getattr(other, name)


def _paired_by_key(what: str, one: object, other: object) -> Iterator[tuple[str, object, object]]:
    """The same, of what is looked up by a key or counted through."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        yield from ((f"{what}[{key!r}]", one[key], other[key]) for key in one)
    elif isinstance(one, tuple | list) and isinstance(other, tuple | list):
        pairs = zip(one, other, strict=False)
        yield from ((f"{what}[{at}]", part, twin) for at, (part, twin) in enumerate(pairs))
        if len(one) != len(other):
            yield f"number of {what}", len(one), len(other)

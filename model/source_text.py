"""Values as Python source: short enough to read, and evaluated back they are equal."""

from __future__ import annotations

from dataclasses import MISSING, fields
from enum import Enum
from typing import Any


def source(value: Any) -> str:
    """Python source of a value: a dataclass by the fields that say something, an enumeration by its
    name.

    Fields without a default come first, by place; of the others, those that differ from it, by
    name. So ``Insert(Key((1, 2)), evicted=1)``.
    """
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    return repr(value)


class AsSource:
    """A dataclass (with ``repr=False``) whose repr is its source."""

    __slots__ = ()

    def __repr__(self) -> str:
        said = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is MISSING and field.default_factory is MISSING:
                said.append(source(value))
            elif field.default_factory is MISSING and value != field.default:
                said.append(f"{field.name}={source(value)}")
        return f"{type(self).__name__}({', '.join(said)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For printers that would rather go by the fields than by the repr."""
        printer.text(repr(self))

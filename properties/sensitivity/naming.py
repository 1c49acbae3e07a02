"""Why a cell may be below 100 %: the sentence that permits it, or the hole that it shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from radixproof.properties.sensitivity.cells import Cell

FILE = Path(__file__).parent / "named.toml"


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cells, and one of two reasons why something in them is not reported."""

    kinds: tuple[str, ...]
    components: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    situations: tuple[str, ...] = ()
    sentence: str = ""
    """What the document permits, word for word."""
    hole: str = ""
    """What is not asked yet."""

    def covers(self, cell: Cell) -> bool:
        wanted = (
            (self.kinds, cell.kind),
            (self.components, cell.component.name),
            (self.policies, cell.policy.value),
            (self.situations, cell.situation.value),
        )
        return all(not names or name in names for names, name in wanted)

    @property
    def reason(self) -> str:
        return f"permitted: “{self.sentence}”" if self.sentence else f"a hole: {self.hole}"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    named: tuple[Named, ...] = ()


@cache
def every_name() -> tuple[Named, ...]:
    """All that is named."""
    return msgspec.toml.decode(FILE.read_bytes(), type=_File).named


def name_of(cell: Cell) -> Named | None:
    """The first that covers a cell."""
    return next((named for named in every_name() if named.covers(cell)), None)

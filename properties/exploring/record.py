"""The record of an exploration: a line of JSON for each state that was expanded, in order.

So that it can be interrupted and gone on with, and made deeper later.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec

from radixproof import __version__
from radixproof.properties.exploring.expanding import Expanded
from radixproof.properties.exploring.small_scope import SmallScope
from radixproof.properties.histories.file_names import own_slug
from radixproof.properties.workers import record


def file_of(folder: Path, system: str, scope: SmallScope, known: Collection[str]) -> Path:
    """Where the record of an exploration is: one of anything else has another name, and one by
    another version of this, which may tell other states apart.
    """
    of_its_own = f"{zlib.crc32(repr((scope, sorted(known), __version__)).encode()):08x}"
    return folder / f"{own_slug(system)}-{own_slug(scope.name)}-{of_its_own}.jsonl"


def line(one: Expanded) -> str:
    """A clean state as a line of the record."""
    written = _Line(
        one.path, one.key, one.possible, one.moves, one.cut_off, one.milestones, one.otherwise
    )
    return msgspec.json.encode(written).decode() + "\n"


def read(file: Path) -> list[Expanded]:
    """The states in a record. Raises `RecordError`."""
    return record.read(file, _decoded, "a state of an exploration")


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of the record: an `Expanded`."""

    path: bytes
    key: bytes
    possible: list[int]
    moves: list[tuple[Annotated[int, msgspec.Meta(ge=0, le=255)], bytes]]
    cut_off: dict[str, int]
    milestones: dict[str, int]
    otherwise: list[int]


def _decoded(text: str) -> Expanded:
    one = msgspec.json.decode(text, type=_Line)
    cut_off, milestones = Counter(one.cut_off), Counter(one.milestones)
    return Expanded(
        one.path, one.key, one.possible, one.moves, cut_off, [], milestones, one.otherwise
    )

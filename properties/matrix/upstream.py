"""Known bugs of SGLang: which of them a system contains, and which of those a search has found."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from radixproof.impl import registry
from radixproof.impl.sglang.names import is_sglang
from radixproof.properties.known.entry import contains
from radixproof.properties.matrix.table import Bug, Found, Row
from radixproof.properties.matrix.wording import short

FILE = "upstream.toml"


class _Catalogue(msgspec.Struct, forbid_unknown_fields=True):
    bug: tuple[Bug, ...]


@cache
def catalogue() -> tuple[Bug, ...]:
    """All of them, in order."""
    text = Path(__file__).with_name(FILE).read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=_Catalogue).bug


def in_system(system: str) -> tuple[Bug, ...]:
    """Those that a system contains; none if it is no SGLang, or of no known release."""
    release = registry.release_of(system) if is_sglang(system) else None
    if release is None:
        return ()
    return tuple(bug for bug in catalogue() if contains(bug.releases, release))


def with_bugs(row: Row) -> Row:
    """A row whose findings are marked, with the bugs that its system contains, and those found."""
    bugs = in_system(row.system)
    found = [bug.id for bug in bugs if is_found(bug, row.findings)]
    return msgspec.structs.replace(row, contains=tuple(bug.id for bug in bugs), found=tuple(found))


def is_found(bug: Bug, findings: Iterable[Found]) -> bool:
    """Whether one of these findings is this bug: it is known under one of its numbers."""
    numbers = {f"#{number}" for number in bug.numbers}
    return any(
        one.known and (short(one.upstream) in numbers or one.signature in bug.signatures)
        for one in findings
    )

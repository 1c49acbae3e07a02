"""Files of known findings: TOML, a table ``[[finding]]`` for each.

    [[finding]]
    signature = "LOCK/swa-too-few"
    reason = "the release of a lock takes the count of another"
    systems = ["sglang"]
    releases = ">=0.5.13,<0.5.20"
    upstream = 36848
    until = 2027-01-31

Only the signature and the reason are required.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from radixproof.impl.registry import is_prepared, reference_of, release_of
from radixproof.properties.histories.durable import write_file
from radixproof.properties.histories.reading import UnreadableFile, text_of
from radixproof.properties.known.entry import LONGEST, Entry, KnownError, entry, shown

BUILTIN = "builtin"
"""The name of our own list of what is known of SGLang."""
LARGEST = 2**20
"""Bytes of a file that is read."""
_TABLE = "finding"


@dataclass(frozen=True, slots=True)
class Known:
    """Known findings, of one file or of several, in order."""

    entries: tuple[Entry, ...] = ()

    def for_system(self, system: str, today: date) -> dict[str, tuple[Entry, ...]]:
        """The signatures that are passed over in a system today, with the entries that say so."""
        return _by_signature(one for one in self._about(system) if one.counts(today))

    def to_compare(self, system: str, today: date) -> tuple[str, tuple[str, ...]]:
        """The release that a source tree is to be compared with, and the signatures that are passed
        over there as far as the release has them, too; nothing where there is no such release here.
        """
        reference = reference_of(system)
        if reference is None or not is_prepared(reference):
            return "", ()
        shared = self._shared(system, reference, today)
        return (reference, shared) if shared else ("", ())

    def _shared(self, system: str, reference: str, today: date) -> tuple[str, ...]:
        """The signatures that are passed over in a system because they are in another one, too, and
        not because an entry names the system.
        """
        about = set(self._about(reference))
        entries = self.for_system(system, today).items()
        return tuple(signature for signature, same in entries if about.issuperset(same))

    def run_out(self, system: str, today: date) -> dict[str, tuple[Entry, ...]]:
        """Those that were passed over in a system until a day that has gone by."""
        return _by_signature(one for one in self._about(system) if not one.counts(today))

    def undecided(self, system: str) -> int:
        """How many are about some releases of a system, where it is not known which one this is."""
        if _release(system) is not None:
            return 0
        ranged = (replace(one, releases="") for one in self.entries if one.releases)
        return sum(one.names(system, None) for one in ranged)

    def upstream(self, system: str, signature: str) -> str:
        """As what a finding in a system is known to those who maintain it; nothing if it is not."""
        numbers = (one.upstream for one in self._about(system) if one.signature == signature)
        return next(filter(None, numbers), "")

    def _about(self, system: str) -> Iterator[Entry]:
        release = _release(system)
        return (one for one in self.entries if one.names(system, release))

    def __add__(self, other: Known) -> Known:
        return Known(self.entries + other.entries)


def _release(system: str) -> str | None:
    """The release that a system is; of a source tree that does not say so, the one that it will be
    compared with, if any.
    """
    reference = reference_of(system)
    if reference is None or not is_prepared(reference):
        return release_of(system)
    return release_of(system) or release_of(reference)


def load_known(source: str | Path) -> Known:
    """The known findings in a file, or those called ``builtin``.

    Raises `KnownError`, which names the file and the place in it.
    """
    path = _builtin() if str(source) == BUILTIN else Path(source)
    return Known(_parsed(_read(path), str(source)))


def passed_over(known: Iterable[str] | Known, system: str) -> frozenset[str]:
    """The signatures that are passed over in a system today. Raises TypeError for a single text."""
    if isinstance(known, str):
        raise TypeError(
            f"known={known!r} is one text: give a list of signatures, as [{known!r}], or load_known"
            " of a file, or of 'builtin'"
        )
    if isinstance(known, Known):
        return frozenset(known.for_system(system, date.today()))
    return frozenset(known)


def load_all(sources: Iterable[str | Path]) -> Known:
    """The known findings of several files, in order. Raises `KnownError`."""
    return sum(map(load_known, sources), Known())


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that is to be known from now on; ``also`` as in an `Entry`."""

    system: str
    signature: str
    also: str | None = None


def accept(path: Path, found: Iterable[Accepted], today: date) -> int:
    """Add entries to a file for what was found; returns how many.

    The file is made if there is none. What is in it stays as it is, to the letter. Raises
    `KnownError`, and OSError.
    """
    systems: dict[tuple[str, str | None], list[str]] = {}
    for one in found:
        systems.setdefault((one.signature, one.also), []).append(one.system)
    tables = [_table(signature, also, names, today) for (signature, also), names in systems.items()]
    write_file(path, _extended(path, tables))
    return len(tables)


def look_whether_it_accepts(path: Path) -> None:
    """Raises `KnownError` if a file could not be extended by `accept`."""
    _extended(path, [_table("OWN/full-lost", None, ["radix"], date.min)])
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise KnownError(f"{path}: nothing may be written there")


def _extended(path: Path, tables: Iterable[str]) -> str:
    """The text of a file with tables more."""
    before = _read(path) if path.exists() else HEADER
    _parsed(before, str(path))
    after = before + ("" if before.endswith("\n") or not before else "\n") + "".join(tables)
    try:
        _parsed(after, str(path))
    except KnownError:
        raise KnownError(
            f"{path}: {_TABLE} is a list in brackets, which nothing can be added to; write a table"
            f" [[{_TABLE}]] for each finding"
        ) from None
    return after


def _table(signature: str, also: str | None, systems: Iterable[str], today: date) -> str:
    lines = [
        f"[[{_TABLE}]]",
        f"signature = {_quoted(signature)}",
        f"reason = {_quoted(f'accepted on {today.isoformat()}')}",
        *([f"also = [{_quoted(also)}]"] if also else []),
        f"systems = [{', '.join(map(_quoted, systems))}]",
    ]
    return "".join(["\n", *(f"{line}\n" for line in lines)])


HEADER = """\
# Findings that `radixproof check --known` passes over. Each has a signature and a reason, and may
# have also (other signatures of the same defect), systems, releases (">=0.5.13,<0.5.17"), upstream
# (a number or an address) and until (a date).
"""


def _builtin() -> Path:
    return Path(__file__).with_name("sglang.toml")


def _read(path: Path) -> str:
    try:
        return text_of(path, LARGEST)
    except UnreadableFile as error:
        raise KnownError(str(error)) from None


def _parsed(text: str, place: str) -> tuple[Entry, ...]:
    try:
        tables = tomllib.loads(text)
    except ValueError as error:
        raise KnownError(f"{place}: not TOML: {error}") from None
    except RecursionError:
        raise KnownError(f"{place}: not TOML: nested too deeply") from None
    others = sorted(set(tables) - {_TABLE})
    if others:
        raise KnownError(
            f"{place}: unknown name {shown(others[0])}; write a table [[{_TABLE}]] for each finding"
        )
    findings = tables.get(_TABLE, [])
    if not isinstance(findings, list) or not all(isinstance(one, dict) for one in findings):
        raise KnownError(f"{place}: {_TABLE} must be tables, each written [[{_TABLE}]]")
    return tuple(_entry(fields, place, number) for number, fields in enumerate(findings, 1))


def _entry(fields: dict[str, Any], place: str, number: int) -> Entry:
    try:
        return entry(fields, place)
    except KnownError as error:
        signature = fields.get("signature")
        named = f" ({signature})" if isinstance(signature, str) and len(signature) < LONGEST else ""
        raise KnownError(f"{place}, {_TABLE} {number}{named}: {error}") from None


def _by_signature(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, tuple[Entry, ...]] = {}
    for one in entries:
        for signature in one.signatures:
            found[signature] = (*found.get(signature, ()), one)
    return found


def _quoted(text: str) -> str:
    """A basic string of TOML: as in JSON, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

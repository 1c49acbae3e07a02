"""The lines of a trace as they are read: segment by segment, in their order.

Traces come from strangers, or from processes that were killed: a refusal says which line of which
file it is, and what is wrong with it. The last line of all may be torn; it is left out.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from radixproof.impl.recording.notes import CALLS
from radixproof.impl.recording.segments import NAMES
from radixproof.properties.histories.limits import LARGEST_NUMBER, LONGEST_LINE, LONGEST_NAME

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)]
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Name: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")
]
"""It may be printed: nothing in it moves a cursor, or begins a line."""


class TraceError(ValueError):
    """A trace that cannot be read. The message names the place and what is wrong there."""


class Configured(msgspec.Struct, forbid_unknown_fields=True):
    """How the cache was configured, by the names of a history's."""

    page_size: Count
    window: Count | UnsetType | None = UNSET
    device_pages: Count | UnsetType = UNSET
    swa_pages: Count | UnsetType = UNSET
    mamba_states: Count | UnsetType = UNSET
    host_pages: Count | UnsetType = UNSET
    swa_host_pages: Count | UnsetType = UNSET
    mamba_host_states: Count | UnsetType = UNSET
    write_back: bool | UnsetType = UNSET
    threshold: Count | UnsetType = UNSET
    eviction_policy: Name | UnsetType = UNSET
    load_threshold: Count | UnsetType = UNSET
    bigram: bool | UnsetType = UNSET


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of a segment: what was recorded."""

    radixproof: Literal["trace"]
    version: Literal[1]
    system: Name
    config: Configured
    pools: tuple[Name, ...]


class KeyLine(msgspec.Struct, forbid_unknown_fields=True):
    """A key, to which the lines after it refer by its number."""

    key: Count
    length: Count
    """In tokens."""
    pages: str
    """The pseudonyms of its whole pages, 16 hexadecimal digits each."""
    namespace: Name = ""
    of: Count | None = None
    """An earlier key of the same request: the first ``shared`` pages are those of that."""
    shared: Count = 0


class CallLine(msgspec.Struct, forbid_unknown_fields=True):
    """A call on the tree; what a kind has no use for is not there."""

    call: Name
    request: Name | None = None
    key: Count | None = None
    node: Number | None = None
    receipt: Name = ""
    device: Count = 0
    best: Count = 0
    best_node: Number | None = None
    protected: Count = 0
    evicted: Count = 0
    state: bool = False
    priority: Number = 0
    inserted: Count = 0
    reused: Count = 0
    full: Number = 0
    swa: Number = 0
    mamba: Number = 0
    freed: Number | tuple[Number, ...] = 0
    tokens: Number = 0
    component: Literal["full", "swa", "mamba"] = "full"
    quota: Number | None = None
    loaded: Count = 0
    loaded_node: Number | None = None
    blocking: bool = False
    acknowledged: Count = 0
    free: tuple[Number, ...] | None = None
    raised: Name | None = None
    where: Name = ""
    name: Name = ""
    """Of a call of which no more is recorded."""


Line: TypeAlias = Head | KeyLine | CallLine


def lines(path: Path) -> Iterator[Line]:
    """The lines of a trace: a segment, a folder of segments, or one that holds one such folder.

    Raises `TraceError`.
    """
    segments = _segments(path)
    for segment in segments:
        yield from _lines(segment, torn=segment == segments[-1])


def _segments(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.glob(NAMES))
    if found:
        return found
    folders = sorted({segment.parent for segment in path.glob(f"*/{NAMES}")})
    if len(folders) == 1:
        return sorted(folders[0].glob(NAMES))
    if not folders:
        raise TraceError(f"{path} holds no trace: no file is called {NAMES}")
    names = ", ".join(folder.name for folder in folders)
    raise TraceError(f"{path} holds {len(folders)} traces ({names}): name one of these folders")


def _lines(segment: Path, torn: bool) -> Iterator[Line]:
    """Those of a segment; the last one may be ``torn``."""
    try:
        if not stat.S_ISREG(segment.stat().st_mode):
            raise TraceError(f"cannot read {segment}: it is not a file")
        with open(segment, "rb") as file:
            number = 0
            while text := file.readline(LONGEST_LINE):
                number += 1
                if not text.endswith(b"\n"):
                    if torn and len(text) < LONGEST_LINE:
                        return
                    raise TraceError(f"{segment}, line {number}: it does not end")
                yield _line(text, segment, number)
    except OSError as error:
        raise TraceError(f"cannot read {segment}: {error.strerror or error}") from None


_HEAD = msgspec.json.Decoder(Head)
_KEY = msgspec.json.Decoder(KeyLine)
_CALL = msgspec.json.Decoder(CallLine)


def _line(text: bytes, segment: Path, number: int) -> Line:
    where = f"{segment}, line {number}"
    try:
        if number == 1:
            return _HEAD.decode(text)
        if text.startswith(b'{"key"'):
            return _KEY.decode(text)
        line = _CALL.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TraceError(f"{where}: {error}") from None
    if line.call not in CALLS:
        raise TraceError(f"{where}: there is no call {line.call!r}")
    return line

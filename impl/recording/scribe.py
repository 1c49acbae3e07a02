"""The end of a recording that writes: a process that reads notes from its standard input.

It ends when they end, however the recorded process came to its end, or when it cannot write; then
what was written before is whole, but for a last line that may be torn.
"""

from __future__ import annotations

import marshal
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from radixproof.impl.recording.notes import CALLS, FLUSH, FORGET, HEAD, Note, Prompt
from radixproof.impl.recording.pseudonyms import Pages, Pseudonyms
from radixproof.impl.recording.segments import MOST_SEGMENTS, Segments

MEGABYTES = "RADIXPROOF_RECORD_MB"
"""Where the environment says how much of a trace is kept; by default that is `MOST_MEGABYTES`."""
MOST_MEGABYTES = 4096
MOST_KEYS = 100_000
"""Keys that a line can refer to: beyond that all are written anew."""


class Scribe:
    """Turns the notes of one recording into lines."""

    def __init__(self, segments: Segments, head: dict[str, Any]) -> None:
        self._segments, self._head = segments, head
        self._pseudonyms = Pseudonyms(head["config"]["page_size"], head["config"]["bigram"])
        self._requests: dict[str, Pages] = {}
        self._names: dict[str, str] = {}
        self._named_so_far = 0
        self._namespaces: dict[str, str] = {"": ""}
        self._keys: dict[tuple[str, bytes, int], int] = {}
        """By namespace, last pseudonym and length: their numbers in this segment."""
        self._last: dict[str, tuple[int, int]] = {}
        """Of each request the number of its last key, and how many pages that has."""
        self._begin()

    def take(self, note: Note) -> None:
        """Write a note. Raises OSError."""
        kind = note[0]
        if kind == FLUSH:
            self._segments.flush()
        elif kind == FORGET:
            for known in (self._requests, self._names, self._last):
                known.pop(note[1], None)
        else:
            self._call(kind, *note[1:])

    def _call(
        self,
        kind: str,
        request: str | None,
        given: Note,
        returned: Note | None,
        free: Note | None,
        raised: Note | None,
    ) -> None:
        line: dict[str, Any] = {"call": kind, "request": request}
        call = CALLS[kind]
        line |= dict(zip(call.given, given, strict=True))
        if returned is not None:
            line |= dict(zip(call.returned, returned, strict=True))
        if "key" in line:
            prompt = Prompt(*line["key"])
            line |= {"key": self._key(prompt), "request": request or prompt.request}
        if line["request"] is not None:
            line["request"] = self._named(line["request"])
        if free is not None:
            line["free"] = free
        if raised is not None:
            line["raised"], line["where"] = raised
        self._write({name: value for name, value in line.items() if value is not None})

    def _named(self, request: str) -> str:
        if request not in self._names:
            self._named_so_far += 1
            self._names[request] = f"r{self._named_so_far}"
        return self._names[request]

    def _key(self, prompt: Prompt) -> int:
        """The number of a key, which is written first where it has none."""
        pages = self._pages(prompt)
        count = self._pseudonyms.whole(prompt.length)
        last = pages.pseudonyms[count - 1] if count else b""
        known = prompt.namespace, last, prompt.length
        if known not in self._keys:
            self._keys[known] = number = len(self._keys) + 1
            line: dict[str, Any] = {"key": number, "length": prompt.length}
            if prompt.namespace:
                names = self._namespaces
                line["namespace"] = names.setdefault(prompt.namespace, f"n{len(names)}")
            begin = 0
            if prompt.request is not None:
                if prompt.request in self._last:
                    line["of"], of_that = self._last[prompt.request]
                    line["shared"] = begin = min(count, of_that)
                self._last[prompt.request] = number, count
            line["pages"] = b"".join(pages.pseudonyms[begin:count]).hex()
            self._segments.write(line)
        return self._keys[known]

    def _pages(self, prompt: Prompt) -> Pages:
        pages = Pages()
        if prompt.request is not None:
            pages = self._requests.setdefault(prompt.request, pages)
        self._pseudonyms.go_on(pages, prompt.tokens)
        return pages

    def _write(self, line: dict[str, Any]) -> None:
        self._segments.write(line)
        if self._segments.full or len(self._keys) > MOST_KEYS:
            self._segments.next()
            self._begin()

    def _begin(self) -> None:
        """Each segment can be read without those before: they may be gone."""
        self._keys.clear()
        self._last.clear()
        self._segments.write(self._head)
        self._segments.flush()


def write_all(notes: BinaryIO, segments: Segments) -> None:
    """Write notes until they end, even in the middle of one. Raises OSError."""
    scribe: Scribe | None = None
    try:
        while True:
            note = marshal.load(notes)
            if note[0] == HEAD:
                scribe = Scribe(segments, note[1])
            elif scribe is not None:
                scribe.take(note)
    except EOFError:
        segments.close()


def main() -> None:
    """``python -m radixproof.impl.recording.scribe FOLDER``"""
    try:
        kept = int(float(os.environ.get(MEGABYTES, MOST_MEGABYTES)) * 2**20)
        write_all(sys.stdin.buffer, Segments(Path(sys.argv[1]), kept // MOST_SEGMENTS))
    except (OSError, ValueError, OverflowError) as error:
        sys.exit(f"radixproof records nothing more: {error}")


if __name__ == "__main__":
    main()

"""The files of a trace: lines of JSON, in segments of bounded size of which the oldest go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

NAMES = "trace-*.jsonl"
MOST_SEGMENTS = 128


class Segments:
    """Writes lines into one file after another: ``trace-000001.jsonl`` and so on.

    All methods raise OSError; then nothing more can be written.
    """

    def __init__(self, folder: Path, segment_bytes: int, most: int = MOST_SEGMENTS) -> None:
        self._folder, self._segment_bytes, self._most = folder, segment_bytes, most
        self._number = 0
        self._written = 0
        self._file: TextIO = self._open()

    @property
    def full(self) -> bool:
        """Whether the file has the size at which another begins."""
        return self._written >= self._segment_bytes

    def write(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        self._file.write(text)
        self._written += len(text)

    def flush(self) -> None:
        """What was written outlives this process."""
        self._file.flush()

    def next(self) -> None:
        """Go on in a new file; the oldest is removed where there are too many."""
        self._file.close()
        self._file = self._open()
        if self._number > self._most:
            self._path(self._number - self._most).unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()

    def _open(self) -> TextIO:
        self._number += 1
        self._written = 0
        return open(self._path(self._number), "x", encoding="ascii", newline="\n")

    def _path(self, number: int) -> Path:
        return self._folder / f"trace-{number:06}.jsonl"

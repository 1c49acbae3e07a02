"""What a check writes for other programs, as it goes: after an interruption, too, it is whole."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from radixproof.impl.system import Unavailable
from radixproof.properties.cli.streams import complain
from radixproof.properties.histories.durable import write_file
from radixproof.properties.results.json_lines import line
from radixproof.properties.results.junit import junit
from radixproof.properties.results.markdown import markdown
from radixproof.properties.results.result import SystemResult

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The environment variable with the file that GitHub shows as the summary of a job."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What may be otherwise when more has been found."""


@dataclass(frozen=True, slots=True)
class CiFiles:
    """Where to write what; None for what is not wanted."""

    junit: Path | None = None
    lines: Path | None = None
    summary: Path | None = None

    unwritten: set[Path] = field(default_factory=set, compare=False)
    """What could not be written when it was last tried: what was found counts all the same."""

    def begin(self, results: Sequence[SystemResult]) -> None:
        """Write them for the first time. Raises `Unavailable` for one that never can be written."""
        for file, text in self._texts(results):
            try:
                write_file(file, text)
            except OSError as error:
                if error.errno not in _FULL:
                    raise Unavailable(_said(file, error)) from None
                self._note(file, error)

    def update(self, results: Sequence[SystemResult]) -> None:
        """Write what there is by now of the files that are rewritten as the check goes on."""
        for file, text in self._texts(results):
            self._try(file, partial(write_file, file, text))

    def close(self, results: Sequence[SystemResult]) -> None:
        """Write everything, for the last time; the summary is added to what is there."""
        self.update(results)
        if self.summary is not None:
            self._try(self.summary, partial(_add, self.summary, markdown(results)))

    def _texts(self, results: Sequence[SystemResult]) -> Iterator[tuple[Path, str]]:
        if self.junit is not None:
            yield self.junit, junit(results)
        if self.lines is not None:
            found = (line(one, finding) for one in results for finding in one.findings)
            yield self.lines, "".join(found)

    def _try(self, file: Path, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._note(file, error)
        else:
            self.unwritten.discard(file)

    def _note(self, file: Path, error: OSError) -> None:
        """Say once that a file cannot be written."""
        if file not in self.unwritten:
            complain(_said(file, error))
        self.unwritten.add(file)


def _said(file: Path, error: OSError) -> str:
    return f"cannot write {file} ({error.strerror or error})"


def _add(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)

"""What a check writes for other programs, as it goes: after an interruption, too, it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radixproof.properties.histories.durable import write_file
from radixproof.properties.results.json_lines import line
from radixproof.properties.results.junit import junit
from radixproof.properties.results.markdown import markdown
from radixproof.properties.results.result import SystemResult

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The environment variable with the file that GitHub shows as the summary of a job."""


@dataclass(frozen=True, slots=True)
class CiFiles:
    """Where to write what; None for what is not wanted."""

    junit: Path | None = None
    lines: Path | None = None
    summary: Path | None = None

    def update(self, results: Sequence[SystemResult]) -> None:
        """Write what there is by now of the files that are rewritten as the check goes on."""
        if self.junit is not None:
            write_file(self.junit, junit(results))
        if self.lines is not None:
            write_file(
                self.lines,
                "".join(line(one, finding) for one in results for finding in one.findings),
            )

    def close(self, results: Sequence[SystemResult]) -> None:
        """Write everything, for the last time; the summary is added to what is there."""
        self.update(results)
        if self.summary is not None:
            with self.summary.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(markdown(results))

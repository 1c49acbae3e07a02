"""Reports in colour, for a terminal: what was wrong, and what differs between two trees.

Without colours the same stands there: each line that is coloured begins with a mark, or says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.text import Text

from radixproof.properties.cli.progress import Output

MARKS = {"+ ": "green", "- ": "red", "~ ": "yellow", " >": "bold red"}
"""What a line of a tree, or of a history, begins with, and its colour."""
HAPPENED, INDENT = "What happened:", "    "


def coloured(report: str) -> Text:
    """A report with its colours."""
    found = Text()
    for line, style in _styled(report):
        found.append(line, style)
    return found


def _styled(report: str) -> Iterator[tuple[str, str]]:
    """Each line with its style."""
    before = ""
    for number, line in enumerate(report.splitlines(keepends=True)):
        style = MARKS.get(line[:2], "")
        if number == 0 and " in " in line and "/" in line.split(" in ")[0]:
            style = "bold"
        elif line.startswith(HAPPENED) or (before.startswith(HAPPENED) and line.startswith(INDENT)):
            style = "red"
        before = before if line.startswith(INDENT) else line
        yield line, style


def show(report: str) -> None:
    """Print a report: in colour on a terminal that has any, and as it is elsewhere."""
    if not sys.stdout.isatty():
        print(report, end="")
        return
    Output(soft_wrap=True, highlight=False, emoji=False).print(coloured(report), end="")

"""A finding as a folder that can be kept, sent and run: ``OUT/SYSTEM/SIGNATURE-SEED/``.

In it are ``history.json``, a pytest file whose name no other finding has (so that ``pytest OUT``
collects all of them), ``report.txt``, the same as a page, and ``summary.md``, which is fit for an
issue.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from radixproof.impl import registry
from radixproof.impl.operations import History
from radixproof.impl.system import Target, Unavailable
from radixproof.properties.histories.durable import write_folder
from radixproof.properties.histories.file_names import module_name, own_slug
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.reporting import regression_test
from radixproof.properties.reporting.narrate import retold
from radixproof.properties.reporting.page.page import account, html
from radixproof.properties.reporting.report import report
from radixproof.properties.reporting.summary import Again, markdown
from radixproof.properties.search.budget import STEP_SECONDS
from radixproof.properties.search.finding import Finding

HISTORY, REPORT, SUMMARY, PAGE = "history.json", "report.txt", "summary.md", "report.html"
UNWRITTEN = "This finding could not be written to"
UNNAMED = "it would have to find the system by its name"


@dataclass(frozen=True, slots=True)
class FindingFolder:
    """Where a finding belongs, and all that is written of it. Plain data."""

    path: str
    files: dict[str, str | None]
    """Their texts by name; None for the test if none can be written."""
    replay: str = ""
    """The command that replays it."""

    @property
    def report(self) -> str:
        return self.files[REPORT] or ""

    @property
    def history(self) -> str:
        return self.files[HISTORY] or ""

    @property
    def written(self) -> list[str]:
        """The names of the files."""
        return [name for name, text in self.files.items() if text is not None]


def folder_of(
    target: Target,
    finding: Finding,
    out: Path | str,
    mark: str | None = None,
    known: str = "",
    step_seconds: float = STEP_SECONDS,
) -> FindingFolder:
    """What is to be written of a finding of ``target`` below the folder ``out``.

    ``mark`` tells it from others with its signature, instead of the seed: the name of a test, say.
    ``known`` says as what it is known already, and ``step_seconds`` after how long a step was taken
    to hang.
    """
    marked = str(finding.seed) if mark is None else mark
    slugs = [own_slug(text) for text in (target.name, finding.signature, marked)]
    path = Path(out, slugs[0], "-".join(slugs[1:]))
    test = f"{module_name(*slugs)}.py"
    named = _named(target)
    history = _with_origin(target, finding)
    told = retold(target, finding)
    source, reason = _test(target, finding, history, step_seconds) if named else (None, UNNAMED)
    options = [*_system_option(target, named), *_limit_option(finding, step_seconds)]
    again = Again(
        ["radixproof", "replay", HISTORY, *options], to_json(history), test, source, reason
    )
    replay = shlex.join(["radixproof", "replay", str(path / HISTORY), *options])
    run_test = f"none that stands alone: {reason}"
    if source is not None:
        run_test = regression_test.command(target.name, str(path / test))
    files = {
        HISTORY: again.history,
        test: source,
        REPORT: report(target.name, finding, told, replay, run_test),
        SUMMARY: markdown(target.name, finding, told, again, known),
        PAGE: html(account(target, finding.history, told, shlex.join(again.replay))),
    }
    return FindingFolder(str(path), files, replay)


def write_finding(found: FindingFolder) -> Path:
    """Write the folder of a finding, in place of what the same one has left there.

    When this returns, it is on the disk. Raises `OSError`, and then has changed nothing.
    """
    write_folder(Path(found.path), found.files)
    return Path(found.path)


def page_link(found: str, folder: Path) -> str:
    """The link to the page of a finding, by its own folder, from one further up: that may have been
    moved, or go by another name by now, and has it in a folder of findings of a system.
    """
    page = Path(found, PAGE)
    if page.is_relative_to(folder):
        return quote(page.relative_to(folder).as_posix())
    return quote(Path(*page.parts[-4:]).as_posix())


def _test(
    target: Target, finding: Finding, history: History, step_seconds: float
) -> tuple[str | None, str]:
    """The source of a test; or None, and why there is none."""
    try:
        breach = finding.verdict.breach
        return regression_test.source_of_test(target.name, history, breach, step_seconds), ""
    except regression_test.NoStandaloneTest as error:
        return None, str(error)


def keep(found: FindingFolder) -> str:
    """Write a finding; returns where it is.

    Nothing may be lost: if it cannot be written, the history is returned instead.
    """
    try:
        write_finding(found)
    except OSError as error:
        why = error.strerror or error
        return f"{UNWRITTEN} {found.path} ({why}). Its history:\n{found.history}"
    return f"Written to {found.path}: {', '.join(found.written)}\n"


def _with_origin(target: Target, finding: Finding) -> History:
    seed = {} if finding.seed is None else {"seed": str(finding.seed)}
    origin = {"driver": finding.driver, "signature": finding.signature}
    origin = {"system": target.name, **seed, **origin}
    return replace(finding.history, origin=origin)


def _system_option(target: Target, named: bool) -> list[str]:
    """What `replay` must be told of the system; a history may not say itself what is imported."""
    if not named:
        return ["--system", "MODULE:ATTRIBUTE"]
    return ["--system", target.name] if registry.must_be_named(target.name) else []


def _limit_option(finding: Finding, step_seconds: float) -> list[str]:
    """After how long a step hangs, where that is not as usual and may matter."""
    matters = regression_test.runs_in_children(finding.verdict.breach)
    unusual = matters and step_seconds != STEP_SECONDS
    return ["--step-seconds", f"{step_seconds:g}"] if unusual else []


def _named(target: Target) -> bool:
    """Whether the target can be found by its name. One that a program has made need not be."""
    try:
        registry.find(target.name)
    except registry.UnknownSystem:
        return False
    except Unavailable:
        return True
    return True

"""A finding as Markdown, fit for an issue at those who maintain the system.

Whoever reads it need not know radixproof. What comes from the system, an error message say, stands
in fences and is text, whatever is in it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from radixproof import __version__
from radixproof.model.verdict import Breach
from radixproof.properties.reporting import regression_test, rules
from radixproof.properties.reporting.narrate import Narrative
from radixproof.properties.reporting.report import course, origin, wrapped
from radixproof.properties.reporting.versions import sglang_release, versions
from radixproof.properties.reporting.wording import listed
from radixproof.properties.search.finding import Finding


@dataclass(frozen=True, slots=True)
class Again:
    """What shows a finding again, to somebody who has the files in the current folder."""

    replay: list[str]
    history: str
    test: str
    source: str | None
    """Of the test; None if none can be written."""
    no_test: str = ""
    """Why, then, as half a sentence."""


def markdown(system: str, finding: Finding, told: Narrative, again: Again, known: str = "") -> str:
    """The whole text. ``known`` says as what it is known already, if it is."""
    breach = told.breach or finding.verdict.breach
    parts = [
        f"# {_code(breach.signature)} in {_name(system)}",
        f"**What must hold.** {_sentence(breach.violates.sentence)}",
        "**What happened.**",
        _fenced("text", "\n".join(wrapped(f"{breach.text}."))),
        *([f"**Known as** {known}."] if known else []),
        "## Step by step",
        _fenced("text", "\n".join(course(finding.history, told)).strip("\n")),
        "## Why it is wrong",
        *_why(breach, told.last),
        "## How to see it",
        *_with_a_test(system, again),
        *_with_radixproof(system, again),
        "## Versions",
        _table(versions(system)),
        origin(finding),
    ]
    return "\n\n".join(parts) + "\n"


def _name(system: str) -> str:
    release = sglang_release(system)
    return _code(system) if release is None else f"SGLang {release}"


def _why(breach: Breach, during: str) -> list[str]:
    name = f"property {breach.violates.label}"
    quoted = rules.of_signature(breach.signature, during)
    if not quoted:
        return [f"It breaks the {name} as such: {breach.violates.sentence}."]
    numbers = listed([rule.number for rule in quoted])
    kind = "rule" if len(quoted) == 1 else "rules"
    said = [f"**{rule.number} {rule.title}.** {rule.text}" for rule in quoted]
    return [
        f"It breaks the {name}, that is {kind} {numbers} of radixproof's `docs/semantics.md`:",
        *("\n".join(f"> {line}".rstrip() for line in text.splitlines()) for text in said),
    ]


def _with_a_test(system: str, again: Again) -> list[str]:
    if again.source is None:
        return [f"There is no test that stands alone: {_code(again.no_test)}."]
    release = sglang_release(system)
    run = regression_test.command(system, again.test)
    source = _fold(again.test, "python", again.source)
    if release is None:
        return [f"With radixproof installed: save the test below, and run {_code(run)}.", source]
    return [
        "With SGLang alone: save the test below and, where there is a GPU, run",
        _fenced("sh", f"pip install sglang=={release} pytest\npytest {again.test}"),
        f"With radixproof neither a GPU nor an installed SGLang is needed: {_code(run)}.",
        source,
    ]


def _with_radixproof(system: str, again: Again) -> list[str]:
    commands = [shlex.join(again.replay)]
    if sglang_release(system) is not None and "==" in system:
        commands.insert(0, f"radixproof systems add sglang=={sglang_release(system)}")
    return [
        f"With radixproof {__version__}, step by step: save the history below, and run",
        _fenced("sh", "\n".join(commands)),
        _fold("history.json", "json", again.history),
    ]


# -- Markdown --------------------------------------------------------------------------------------


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _ticks(text: str, least: int) -> str:
    """A run of backticks that is longer than any in the text."""
    runs = [len(run) for run in re.findall("`+", text)]
    return "`" * max(least, max(runs, default=0) + 1)


def _code(text: str) -> str:
    """Inline code: nobody is mentioned by ``@``, nothing is emphasised."""
    plain = " ".join(text.split())
    ticks = _ticks(plain, 1)
    return f"{ticks}{plain}{ticks}" if len(ticks) == 1 else f"{ticks} {plain} {ticks}"


def _fenced(language: str, text: str) -> str:
    fence = _ticks(text, 3)
    body = text.rstrip("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def _fold(title: str, language: str, text: str) -> str:
    """A long text that is shown when it is clicked at."""
    head = f"<details><summary><code>{title}</code></summary>"
    return f"{head}\n\n{_fenced(language, text)}\n\n</details>"


def _table(rows: dict[str, str]) -> str:
    lines = [f"| {name} | {version} |" for name, version in rows.items()]
    return "\n".join(["| what | version |", "|---|---|", *lines])

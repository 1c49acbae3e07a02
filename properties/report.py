"""What a person sees of a finding: the property in words, the shortest history, the tree on both sides of the bad step."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.history import History
from radixproof.properties.drawing import draw
from radixproof.properties.narrate import Narrative, narrate
from radixproof.properties.search import Found

WIDTH = 78


def report(target: Target, found: Found, replay: str, test: str) -> str:
    """The whole report as plain text. ``replay`` and ``test`` are commands: one shows it again, one fails because of it."""
    told = narrate(target, found.history, found.signature)
    if told.breach is None:
        told = replace(told, breach=found.verdict.breach)
    origin = f"Found by the {found.driver} with seed {found.seed} after {found.at_step:,} steps."
    return render(target.name, found.history, told) + f"{origin}\nReplay: {replay}\nTest:   {test}\n"


def render(system: str, history: History, told: Narrative) -> str:
    """A history as it went: the property it broke, its steps and what came of them, and the tree around the last step."""
    lines = []
    if told.breach is not None:
        lines += [f"{told.breach.signature} in {system}", ""]
        lines += _wrap(f"What must hold: {told.breach.violates.value}.")
        lines += [*_wrap(f"What happened:  {told.breach.text}."), ""]
    lines += [*_wrap(f"Configuration: {describe(history.config)}"), "", "History:"]
    for number, (operation, outcome) in enumerate(told.steps, 1):
        mark = ">" if told.breach is not None and number == len(told.steps) else " "
        lines.append(f" {mark}{number:3}. {operation}" + (f"   -> {outcome}" if str(outcome) else ""))
    lines += ["", f"Tree before step {len(told.steps)}:", *draw(history.config, told.before, told.after, "-")]
    lines += ["", f"Tree after step {len(told.steps)} (+ new, ~ changed; before it: - gone):"]
    lines += [*draw(history.config, told.after, told.before, "+"), ""]
    if told.breach is not None:
        lines += [*_wrap("Prompts are written as their tokens; in [1 | 2] the node meant is the part behind the bar."), ""]
    return "\n".join(lines) + "\n"


def describe(config: Config) -> str:
    """A configuration in a line of words."""
    parts = [f"page size {config.page_size}", "FULL only" if config.window is None else f"FULL+SWA with window {config.window}"]
    parts.append("write-through" if config.threshold == 1 else f"write-through from {config.threshold} hits on")
    pools = [f"{config.pages(pool)} {pool.name}" for pool in config.pools]
    return ", ".join(parts) + "; pages: " + ", ".join(pools)


def slug(signature: str) -> str:
    """A signature, or the name of a system, as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", signature.lower()).strip("-")


def plural(count: int, noun: str) -> str:
    """``1 step``, ``1,000 steps``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def summary(found: Found) -> str:
    """A finding in two lines."""
    breach = found.verdict.breach
    return f"{breach.signature}: {plural(len(found.history.operations), 'operation')}\n" + textwrap.indent(
        "\n".join(_wrap(breach.text)), "    "
    )


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ")

"""A finding as a person sees it: the property, the shortest history, and the tree at its end."""

from __future__ import annotations

import textwrap

from radixproof.impl.operations import History
from radixproof.model.config import Config
from radixproof.model.verdict import Breach
from radixproof.properties.performing.step import Act
from radixproof.properties.reporting.narrate import Narrative
from radixproof.properties.reporting.rules import of_signature
from radixproof.properties.reporting.tree_text import draw, shortened
from radixproof.properties.reporting.wording import plural
from radixproof.properties.search.finding import Finding

WIDTH = 78


def report(system: str, finding: Finding, told: Narrative, replay: str, test: str) -> str:
    """The whole report as plain text. ``replay`` and ``test`` are commands: one shows it again, the
    other fails because of it.
    """
    told_of = render(system, finding.history, told)
    return f"{told_of}{origin(finding)}\nReplay: {replay}\nTest:   {test}\n"


def origin(finding: Finding) -> str:
    """Where a finding comes from, in a sentence."""
    found = f"Found by the {finding.driver}"
    found += "" if finding.seed is None else f" with seed {finding.seed}"
    found += f" after {plural(finding.at_step, 'step')}." if finding.at_step else "."
    if finding.against is not None:
        system, parting, there = finding.against
        found += f" {finding.signature} is known of {system}, which in this history has nothing of"
        found += f" the kind, and differs from step {parting + 1} on"
        found += f" (there: {there})" if there else ""
        found += ": it is new here."
    return found


def render(system: str, history: History, told: Narrative) -> str:
    """A history as it went: the property broken, each step and its outcome, the tree at the end."""
    lines = []
    if told.breach is not None:
        lines += [f"{told.breach.signature} in {system}", ""]
        lines += wrapped(f"What must hold: {told.breach.violates.sentence}.")
        lines += wrapped(f"What happened:  {told.breach.text}.")
        lines += [*_rules(told.breach, told.last), ""]
    return "\n".join([*lines, *course(history, told)]) + "\n"


def _rules(breach: Breach, during: str) -> list[str]:
    """Which rules of the document are about it, by number and title."""
    quoted = of_signature(breach.signature, during)
    rules = "; ".join(f"{rule.number} {rule.title}" for rule in quoted)
    return wrapped(f"Rule:           {rules} (docs/semantics.md)") if rules else []


def course(history: History, told: Narrative) -> list[str]:
    """Lines with the configuration, each step and its outcome, and the tree at the end."""
    lines = [*wrapped(f"Configuration: {describe(history.config)}"), "", "History:"]
    for number, ((operation, _), came) in enumerate(
        zip(told.steps, told.came_back(), strict=True), 1
    ):
        mark = ">" if told.breach is not None and number == len(told.steps) else " "
        lines.append(f" {mark}{number:3}. {_and_what_came(operation, came)}")
    parts = told.parts_apart
    lines += [f"        {_and_what_came(part, str(outcome))}" for part, outcome in parts]
    lines += ["", *_trees(history.config, told), ""]
    if told.breach is not None:
        lines += [
            *wrapped(
                "Prompts are written as their tokens; "
                "in [1 | 2] the node meant is the part behind the bar."
            ),
            "",
        ]
    return lines


def _and_what_came(operation: Act, came: str) -> str:
    return f"{operation}" + (f"   -> {came}" if came else "")


def _trees(config: Config, told: Narrative) -> list[str]:
    """The trees before and after the last step, as far as they were seen."""
    last = len(told.steps)
    locked, still_locked = told.holders
    before = f"Tree before step {last}:"
    if told.unseen:
        why = [] if told.ended else ["", *wrapped(told.unseen)]
        return [before, *draw(config, told.before, told.before, "-", locked, locked), *why]
    gone = draw(config, told.before, told.after, "-", locked, still_locked)
    new = draw(config, told.after, told.before, "+", still_locked, locked)
    if gone == new:
        return [f"Tree before step {last}, and after it:", *gone]
    after = f"Tree after step {last} (+ new, ~ changed; before it: - gone):"
    return [before, *gone, "", after, *shortened(new)]


def describe(config: Config) -> str:
    """A configuration in one line of words."""
    parts = [
        f"page size {config.page_size}",
        "+".join(component.name for component in config.components),
    ]
    if config.window is not None:
        parts[-1] += f" with window {config.window}"
    elif len(config.components) == 1:
        parts[-1] += " only"
    parts.append(_policy(config))
    usual = Config()
    if config.eviction_policy is not usual.eviction_policy:
        parts.append(f"eviction by {config.eviction_policy.value}")
    if config.load_threshold != usual.load_threshold:
        parts.append(f"load-back from {config.load_threshold} tokens on")
    parts += ["bigram keys"] if config.bigram else []
    if config.track_every > 1 or config.track_lazily:
        pages = "page" if config.track_every == 1 else f"{config.track_every} pages"
        parts.append(f"states tracked every {pages}")
    parts += ["the second one taken when needed"] if config.track_lazily else []
    parts += [f"{config.ranks} ranks"] if config.ranks > 1 else []
    pools = [f"{config.pages(pool)} {pool.name}" for pool in config.pools]
    return ", ".join(parts) + "; pages: " + ", ".join(pools)


def _policy(config: Config) -> str:
    if not config.hosted:
        return "no host tier"
    if config.write_back:
        return "write-back"
    return (
        "write-through"
        if config.threshold == 1
        else f"write-through from {config.threshold} hits on"
    )


def summary(finding: Finding) -> str:
    """A finding in two lines."""
    breach = finding.verdict.breach
    return (
        f"{breach.signature}: {plural(len(finding.history.operations), 'operation')}\n"
        + textwrap.indent("\n".join(wrapped(breach.text)), "    ")
    )


def wrapped(text: str) -> list[str]:
    """A paragraph in lines."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ")

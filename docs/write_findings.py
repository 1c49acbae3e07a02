"""The pages of known findings of SGLang, in docs/findings: what of them are facts.

``python docs/write_findings.py`` writes each script anew from its history, runs all of them on
every prepared release and core, each in a process of its own, and puts into the pages the script,
what it printed, and where. Sentences of judgement are written by hand and stay. It takes minutes;
``--index`` writes the index alone, and names of pages those alone.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from finding_scripts import (
    CONTROL,
    FOLDER,
    PREFIX,
    Finding,
    Printed,
    Runs,
    findings,
    runs,
    scripts,
    systems,
)

from radixproof.impl.sglang import releases
from radixproof.impl.sglang.names import PYTHON, RUST, core_in, version_in
from radixproof.model.config import Config
from radixproof.properties.known.files import BUILTIN, load_known
from radixproof.properties.reporting.report import describe

BLOCKS = ("facts", "history", "script", "printed", "releases")
SHOWN, UNCONTROLLED, FINE = "has it", "goes wrong, and the control as well", "has it not"
TOLD = (SHOWN, UNCONTROLLED, FINE)
UNBUILT = "does not offer a cache of these components"


# -- pages -----------------------------------------------------------------------------------------


def verdict(finding: Finding, printed: Mapping[str, Printed], wrong: Collection[str]) -> str:
    """Whether a system has a finding, by what the scripts printed there. ``wrong`` is how the
    script ends where the finding is from.
    """
    control, last = printed.get(finding.name + CONTROL), printed[finding.name].last
    if printed[finding.name].right:
        return FINE
    if _in_words(last) not in map(_in_words, wrong):
        return f"goes wrong in another way: `{last}`"
    return SHOWN if control is None or control.right else UNCONTROLLED


def _in_words(last: str) -> str:
    """How a script ended, without the numbers of nodes in what SGLang's own check says."""
    before, told, complaint = last.partition("SGLang finds its tree wrong: ")
    return before + told + re.sub(r"\d+", "N", complaint)


def verdicts(finding: Finding, seen: Runs) -> dict[str, str]:
    """By system that it was run on."""
    wrong = {seen[system][finding.name].last for system in finding.systems}
    config = finding.history().config
    found = {
        system: verdict(finding, printed, wrong)
        for system, printed in seen.items()
        if finding.name in printed
    }
    return {
        system: said if said in TOLD or can_build(system, config) else UNBUILT
        for system, said in found.items()
    }


def can_build(system: str, config: Config) -> bool:
    """Whether a release has caches of a configuration, with its core."""
    return not releases.scope_of(version_in(system), core_in(system)).refuses(config)


def page(finding: Finding, text: str, sources: Mapping[str, str], seen: Runs) -> str:
    """A page with its facts as they must be."""
    facts = {
        "facts": _facts(finding, seen),
        "history": _history(finding),
        "script": ["```python", *sources[finding.name].splitlines(), "```"],
        "printed": _what_it_prints(finding, seen),
        "releases": _table(finding, seen),
    }
    for name in BLOCKS:
        begin, end = f"<!-- {name}: made by docs/write_findings.py -->\n", f"<!-- end of {name} -->"
        before, there, rest = text.partition(begin)
        if not there:
            raise SystemExit(f"{finding.page.name} has no line {begin.strip()!r}")
        text = "".join((before, begin, *(f"{line}\n" for line in facts[name]), end))
        text += rest.partition(end)[2]
    return text


def _facts(finding: Finding, seen: Runs) -> list[str]:
    has = [system for system, found in verdicts(finding, seen).items() if found == SHOWN]
    rules = ", ".join(f"[{rule}](../semantics.md)" for rule in finding.rules)
    upstream = sorted({one.upstream for one in finding.known() if one.upstream})
    numbers = ", ".join(f"[#{address.rpartition('/')[2]}]({address})" for address in upstream)
    reported = ", ".join(f"`{signature}`" for signature in finding.signatures)
    return [
        "| | |",
        "|---|---|",
        f"| releases that have it | {'; '.join(_ranges(has, list(seen)))} |",
        f"| rule that is broken | {rules} |",
        f"| upstream | {numbers or 'no issue or pull request that we know of'} |",
        f"| reported by radixproof as | {reported} |",
    ]


def _history(finding: Finding) -> list[str]:
    history = finding.history()
    described = describe(history.config)
    lines = [f"{n}. `{one}`" for n, one in enumerate(history.operations, 1)]
    return [
        f"{described[0].upper()}{described[1:]}.",
        "",
        *lines,
        "",
        f"It runs with `radixproof replay docs/findings/histories/{finding.name}.json`.",
    ]


def _what_it_prints(finding: Finding, seen: Runs) -> list[str]:
    """On the newest release that has it, with either core, and on one where nothing is wrong."""
    found = verdicts(finding, seen)
    order = list(seen)
    bad = [[one for one in order if _is(one, core, found, SHOWN)][-1:] for core in (PYTHON, RUST)]
    core, last = (PYTHON, bad[0][0]) if bad[0] else (RUST, bad[1][0])
    good = [one for one in order if _is(one, core, found, FINE)]
    later = [one for one in good if order.index(one) > order.index(last)]
    shown = [*bad[0], *bad[1], *(later[:1] or good[-1:])]
    lines = [line for one in shown for line in _output(one, seen[one][finding.name])]
    if finding.control:
        lines += [f"The same, but {finding.control}:", ""]
        lines += _output(last, seen[last][finding.name + CONTROL])
    return lines[:-1]


def _output(system: str, printed: Printed) -> list[str]:
    release = system.removeprefix(PREFIX)
    command = f"$ python -m radixproof.impl.sglang.run {release} script.py"
    return ["```", command, *printed.text.splitlines(), "```", ""]


def _is(system: str, core: str, found: Mapping[str, str], what: str) -> bool:
    return core_in(system) == core and found.get(system) == what


def _table(finding: Finding, seen: Runs) -> list[str]:
    found = verdicts(finding, seen)
    rows = ["| SGLang | core | |", "|---|---|---|"]
    for core in (PYTHON, RUST):
        mine = [one for one in seen if core_in(one) == core]
        for what, group in groupby(mine, key=lambda one: found.get(one, "")):
            said = what or "not run: the script looks into the nodes of the Python core"
            (which,) = _ranges(list(group), list(seen), told=False)
            rows.append(f"| {which} | {core.title()} | {said} |")
    return rows


def _ranges(found: Sequence[str], order: Sequence[str], told: bool = True) -> list[str]:
    """Systems as ranges of releases, one for each core; the core is told where there are two."""
    ranges = []
    for core in (PYTHON, RUST):
        every = [one for one in order if core_in(one) == core]
        places = [every.index(one) for one in found if core_in(one) == core]
        for _, group in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0]):
            ends = [version_in(every[place]) for _, place in group]
            text = ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
            ranges.append(text + (" (Rust core)" if core == RUST and told else ""))
    return ranges


# -- the index -------------------------------------------------------------------------------------


def without_page() -> list[str]:
    """What is known, and has no page yet: signatures in order."""
    told = {(one.signature, one.reason) for finding in findings() for one in finding.known()}
    entries = load_known(BUILTIN).entries
    return sorted({one.signature for one in entries if (one.signature, one.reason) not in told})


def index(text: str) -> str:
    """The index with a line for each page, its title and its sentence; and what has none yet."""
    begin, end = "<!-- pages: made by docs/write_findings.py -->\n", "<!-- end of pages -->"
    before, _, rest = text.partition(begin)
    lines = [f"- {_line(finding)}\n" for finding in findings()]
    missing = without_page()
    if missing:
        named = ", ".join(f"`{signature}`" for signature in missing)
        lines.append(
            f"\nNo page yet, but a paragraph in [semantics.md](../semantics.md): {named}.\n"
        )
    return "".join((before, begin, *lines, end, rest.partition(end)[2]))


def _line(finding: Finding) -> str:
    title, sentence, facts = finding.page.read_text(encoding="utf-8").split("\n\n")[:3]
    has = next(line for line in facts.splitlines() if line.startswith("| releases that"))
    where = has.split("|")[2].strip()
    return (
        f"[{title.removeprefix('# ')}]({finding.page.name}), {where}: {' '.join(sentence.split())}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--index", action="store_true", help="write the index alone")
    parser.add_argument("pages", nargs="*", help="write these pages alone, and the index")
    asked = parser.parse_args()
    if not asked.index:
        wanted = [one for one in findings() if not asked.pages or one.name in asked.pages]
        sources = scripts(wanted)
        seen = runs(sources, systems())
        for finding in wanted:
            text = finding.page.read_text(encoding="utf-8")
            finding.page.write_text(page(finding, text, sources, seen), encoding="utf-8")
    readme = FOLDER / "README.md"
    readme.write_text(index(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

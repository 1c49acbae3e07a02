"""The pages of docs/findings: whether their facts are as they are written."""

from __future__ import annotations

import ast
import re

import pytest
from finding_scripts import CONTROL, FOLDER, Finding, Printed, findings, runs, scripts, systems
from write_findings import (
    FINE,
    SHOWN,
    UNBUILT,
    UNCONTROLLED,
    can_build,
    index,
    page,
    verdict,
    verdicts,
)

from radixproof.impl.registry import release_of
from radixproof.impl.sglang.names import version_in
from radixproof.properties.histories.history_json import from_json
from radixproof.properties.known.files import BUILTIN, load_known

ALL = findings()
NAMES = [finding.name for finding in ALL]


def test_the_index_has_a_line_for_each_page() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == index(text), "run: python docs/write_findings.py --index"
    assert {path.stem for path in FOLDER.glob("*.md")} == {*NAMES, "README"}


def test_what_is_known_has_one_page_or_is_named_by_the_index() -> None:
    """An entry for other releases that gives the same reason is on the same page."""
    known = {of.name: {(one.signature, one.reason) for one in of.known()} for of in ALL}
    entries = {(one.signature, one.reason) for one in load_known(BUILTIN).entries}
    pages = {one: [name for name in NAMES if one in known[name]] for one in entries}
    assert {one: found for one, found in pages.items() if len(found) > 1} == {}
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    unwritten = text.partition("No page yet")[2]
    lacking = {signature for (signature, _), found in pages.items() if not found}
    assert lacking == {signature for signature, _ in pages if f"`{signature}`" in unwritten}


@pytest.mark.parametrize("finding", ALL, ids=NAMES)
def test_a_page_says_what_goes_wrong_and_why_it_matters(finding: Finding) -> None:
    text = finding.page.read_text(encoding="utf-8")
    for heading in ("What goes wrong", "Why it matters"):
        said = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        assert len(said.split()) > 20, heading
    assert finding.known()
    links = re.findall(r"\]\((?!https)([^)#]+)", text)
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_titles_and_sentences_are_told_apart() -> None:
    begin = [finding.page.read_text(encoding="utf-8").split("\n\n")[:2] for finding in ALL]
    assert len({title for title, _ in begin}) == len({said for _, said in begin}) == len(ALL)


def test_histories_are_those_of_findings() -> None:
    names = {*NAMES, *(finding.name + CONTROL for finding in ALL if finding.control)}
    files = {path.stem: path for path in (FOLDER / "histories").glob("*.json")}
    assert files.keys() == names
    for finding in ALL:
        history = from_json(files[finding.name].read_text(encoding="utf-8"))
        assert history.origin["signature"] == finding.signatures[0]


def test_scripts_by_hand_are_those_of_findings() -> None:
    by_hand = [finding for finding in ALL if finding.by_hand.exists()]
    assert {path.stem for path in (FOLDER / "scripts").glob("*")} == {one.name for one in by_hand}
    sources = scripts(by_hand)
    for finding in by_hand:
        release = finding.system.removeprefix("sglang==")
        said = ast.get_docstring(ast.parse(sources[finding.name])) or ""
        title = f"{finding.signatures[0]} in SGLang {version_in(finding.system)}."
        assert said.splitlines()[0] == title
        assert f"python -m radixproof.impl.sglang.run {release} THIS_FILE" in said
        assert f"```python\n{sources[finding.name]}```\n" in finding.page.read_text("utf-8")


RIGHT, WRONG, ELSE = (
    Printed("Core\nas it should be\n", 0),
    Printed("Core\nAssertionError in test: lost\n", 1),
    Printed("Core\nKeyError in evict: 3\n", 1),
)


@pytest.mark.parametrize(
    ("printed", "control", "said"),
    [
        (RIGHT, RIGHT, FINE),
        (WRONG, RIGHT, SHOWN),
        (WRONG, WRONG, UNCONTROLLED),
        (ELSE, RIGHT, "goes wrong in another way: `KeyError in evict: 3`"),
    ],
)
def test_a_release_has_a_finding_if_the_script_ends_as_it_did_where_it_was_found(
    printed: Printed, control: Printed, said: str
) -> None:
    finding = next(one for one in ALL if one.control)
    seen = {finding.name: printed, finding.name + CONTROL: control}
    assert verdict(finding, seen, {WRONG.last}) == said


def test_a_release_that_cannot_build_such_a_cache_goes_wrong_in_no_way() -> None:
    finding = next(one for one in ALL if one.name == "window-under-lock-unprotected")
    has = dict.fromkeys(finding.systems, WRONG)
    printed = {"sglang==0.5.15.post1": ELSE, **has, "sglang==0.5.20": RIGHT}
    seen = {system: {finding.name: said} for system, said in printed.items()}
    assert [*verdicts(finding, seen).values()] == [UNBUILT, *len(has) * [SHOWN], FINE]


def test_what_is_wrong_with_one_core_alone_is_shown_with_that_core() -> None:
    finding = next(one for one in ALL if one.name == "state-kept-while-full-loads")
    before, same, later = "sglang==0.5.20", "sglang==0.5.20+rust", "sglang==0.5.21+rust"
    said = {before: RIGHT, same: WRONG, later: RIGHT}
    seen = {system: {finding.name: printed} for system, printed in said.items()}
    text = page(finding, finding.page.read_text(encoding="utf-8"), {finding.name: ""}, seen)
    commands = re.findall(r"^\$ .* (\S+) script.py$", text, re.MULTILINE)
    assert commands == ["0.5.20+rust", "0.5.21+rust"]


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.long
def test_scripts_print_on_every_release_what_the_pages_say() -> None:
    """Minutes: on every prepared release and core."""
    sources = scripts(ALL)
    seen = runs(sources, systems())
    for finding in ALL:
        text = finding.page.read_text(encoding="utf-8")
        assert text == page(finding, text, sources, seen), "run: python docs/write_findings.py"
        found = verdicts(finding, seen)
        known, config = finding.known(), finding.history().config
        driven = {one for one in found if can_build(one, config)} - {*finding.apart}
        driven -= {one for one in driven if found[one] == UNCONTROLLED}
        has = {system for system in driven if found[system] == SHOWN}
        named = {one for one in driven if any(of.names(one, release_of(one)) for of in known)}
        assert has == named, finding.name

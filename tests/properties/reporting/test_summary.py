"""The text for an issue: what it says, and that nothing in it can break out of its place."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from radixproof.impl.operations import History, Insert
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.reporting.narrate import Narrative, retold
from radixproof.properties.reporting.summary import Again, markdown
from radixproof.properties.running.run import Verdict, run_history
from radixproof.properties.search.finding import Finding

FAULT = "fault:split-parent-not-backed-up"
RELEASE = "sglang==0.5.12.post1"
LOST = History(
    Config(window=1, swa_pages=8, swa_host_pages=16),
    (Insert(Key((1,))), Insert(Key((1, 2, 3)), evicted=2)),
)
AGAIN = Again(["radixproof", "replay", "history.json"], "{}\n", "test_lost.py", "import lost\n")


@pytest.fixture(scope="module")
def found() -> Finding:
    verdict = run_history(find(FAULT), LOST)
    assert verdict is not None
    return Finding(LOST, verdict, 7, "soak", 1234, LOST)


@pytest.fixture(scope="module")
def told(found: Finding) -> Narrative:
    return retold(find(FAULT), found)


def fences(text: str) -> dict[str, list[str]]:
    """What is fenced, by language."""
    blocks: dict[str, list[str]] = {}
    for _, language, body in re.findall(r"^(```+)(\w+)\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE):
        blocks.setdefault(language, []).append(body)
    return blocks


def outside(text: str) -> str:
    """What is not fenced."""
    return re.sub(r"^(```+)\w+\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def test_it_says_what_why_where_and_how(found: Finding, told: Narrative) -> None:
    text = markdown(RELEASE, found, told, AGAIN, "SGLang pull request 25065")
    plain = outside(text)
    assert text.startswith("# `PROGRESS/never-backed-up` in SGLang 0.5.12.post1\n\n")
    assert "**What must hold.** Eviction frees what it was asked for" in plain
    assert "**Known as** SGLang pull request 25065." in plain
    assert "It breaks the property PROGRESS, that is rule 8.2 of" in plain
    assert "\n> **8.2 Ancestors first.** Whatever is due is backed up together with" in plain
    assert "| SGLang | 0.5.12.post1 |\n| radixproof |" in plain
    assert plain.endswith("Found by the soak with seed 7 after 1,234 steps.\n")
    blocks = fences(text)
    happened, steps = blocks["text"]
    assert "for it, but it was not\n    backed up." in happened
    assert " >  2. insert [1 2 3] evicted 2   -> 1 token was there already\n" in steps
    assert "+       [3]  FULL device  SWA device\n" in steps
    assert blocks["python"] == ["import lost\n"]
    assert blocks["json"] == ["{}\n"]
    assert blocks["sh"] == [
        "pip install sglang==0.5.12.post1 pytest\npytest test_lost.py\n",
        f"radixproof systems add {RELEASE}\nradixproof replay history.json\n",
    ]


def test_another_system_is_run_with_radixproof(found: Finding, told: Narrative) -> None:
    text = markdown(FAULT, found, told, AGAIN)
    assert text.startswith(f"# `PROGRESS/never-backed-up` in `{FAULT}`\n")
    assert "With radixproof installed: save the test below, and run `pytest test_lost.py`." in text
    assert fences(text)["sh"] == ["radixproof replay history.json\n"]
    assert "Known as" not in text
    assert "pip install" not in text


def test_that_there_is_no_test_is_said(found: Finding, told: Narrative) -> None:
    text = markdown(RELEASE, found, told, replace(AGAIN, source=None, no_test="it is too long"))
    assert "There is no test that stands alone: `it is too long`." in outside(text)
    assert "python" not in fences(text)
    assert "test_lost.py" not in text


def test_what_a_system_says_stays_in_its_place(found: Finding, told: Narrative) -> None:
    """Neither the end of a fence, nor a mention of somebody, nor HTML."""
    wild = Breach(Property.NOCRASH, "Key`Error@Tree.evict", "no\n```\n<b>@somebody</b> `x` # y")
    broken = replace(found, verdict=Verdict(wild, 1))
    text = markdown(FAULT, broken, replace(told, breach=wild), replace(AGAIN, source="'````'\n"))
    assert text.startswith("# ``  NOCRASH/Key`Error@Tree.evict  ``".replace("  ", " "))
    plain = outside(text)
    assert "somebody" not in plain
    assert "<b>" not in plain
    assert fences(text)["python"] == ["'````'\n"]
    assert "It breaks the property NOCRASH as such: every legal operation returns" in plain

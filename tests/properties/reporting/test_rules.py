"""The rules that a breach is about: the ones that the document itself names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from radixproof.model.verdict import Property
from radixproof.properties.reporting import rules

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
REPORTED = DOCUMENT.partition("## What the harness reports")[2].partition("\n## ")[0]
SIGNATURE = r"\*\*([A-Z-]+/[^*]+)\*\*"


def reported() -> list[tuple[str, str]]:
    """Signatures of what released versions are reported for, and the rule that each breaks.

    Which one a crash breaks is worked out by hand; the signature does not tell.
    """
    found = []
    for entry in re.split(r"^- ", REPORTED, flags=re.MULTILINE)[1:]:
        text = " ".join(entry.split())
        broken = re.search(r"(?:breaks?|breach of) (\d+\.\d+)", text)
        assert broken is not None, text
        head = text[: broken.start()]
        found += [(signature, broken[1]) for signature in re.findall(SIGNATURE, head)]
    return [row for row in found if rules.of_signature(row[0])]


@pytest.mark.parametrize(("signature", "number"), reported())
def test_the_rules_of_what_is_reported_are_those_that_the_document_names(
    signature: str, number: str
) -> None:
    assert number in [rule.number for rule in rules.of_signature(signature)]


def test_many_are_reported() -> None:
    """Lest the test above is about nothing."""
    assert len(reported()) > 12


@pytest.mark.parametrize("kind", Property, ids=lambda kind: kind.label)
def test_every_property_has_rules_whatever_is_broken_of_it(kind: Property) -> None:
    without = kind in (Property.NOCRASH, Property.REPEAT)
    assert bool(rules.of_signature(f"{kind.label}/anything")) == (not without)


def test_every_row_can_be_the_first_that_fits() -> None:
    for pattern, *numbers in rules.BY_SIGNATURE:
        found = rules.of_signature(pattern.replace("*", "x"))
        assert [rule.number for rule in found] == numbers


def test_every_rule_of_the_document_can_be_quoted() -> None:
    known = rules._rules()
    assert [*known] == re.findall(r"^\*\*(\d+\.\d+) ", DOCUMENT, re.MULTILINE)
    for rule in known.values():
        assert rule.title
        assert rule.text
        assert "*Model:*" not in rule.text
        assert "*Dialect:*" not in rule.text


def test_a_rule_is_quoted_in_its_own_words() -> None:
    (rule,) = rules.of_signature("LEAF/host-leaves")
    assert rule.number == "1.6"
    assert rule.title == "Leaves"
    assert rule.text.startswith("A *device leaf* has FULL on the device")
    assert rule.text.endswith("no lock of any component on\neither tier.")


@pytest.mark.parametrize(
    ("during", "numbers"),
    [
        ("unlock", ["6.1", "6.2"]),
        ("writing_check", ["6.1", "6.2", "8.4"]),
        ("loading_check", ["6.1", "6.2", "9.5"]),
    ],
)
def test_a_wrong_lock_after_an_ack_is_about_that_as_well(during: str, numbers: list[str]) -> None:
    found = rules.of_signature("LOCK/full-too-many", during)
    assert [rule.number for rule in found] == numbers
    assert rules.of_signature("LEAF/host-leaves", during) == rules.of_signature("LEAF/host-leaves")

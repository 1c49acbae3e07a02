"""The page of properties: ``python docs/write_properties.py`` writes it from what the code says."""

from __future__ import annotations

from pathlib import Path

from radixproof.model.verdict import Property
from radixproof.properties.reporting.rules import BY_SIGNATURE, of_signature

DOCUMENT = Path(__file__).resolve().parent / "properties.md"
BEGIN = """\
# Properties

What must hold of every cache, or of those that have what is named. A report begins with one of
these sentences; its signature is the property and the kind of breach.

| property | what must hold | of |
|---|---|---|
"""
MIDDLE = """
## Signatures and their rules

Which paragraphs of [the rules](semantics.md) a report quotes, by its signature. The first line
that fits counts; `*` stands for anything.

| signature | rules |
|---|---|
"""


def main() -> None:
    DOCUMENT.write_text(written(), encoding="utf-8")


def written() -> str:
    """The page as it must be."""
    properties = [
        f"| {one.label} | {_cell(one.sentence)} | {_cell(one.scope)} |\n" for one in Property
    ]
    titles = {
        rule.number: rule.title
        for signature, *_ in BY_SIGNATURE
        for rule in of_signature(signature)
    }
    signatures = [
        f"| `{signature}` | {', '.join(_rule(number, titles) for number in numbers)} |\n"
        for signature, *numbers in BY_SIGNATURE
    ]
    return "".join((BEGIN, *properties, MIDDLE, *signatures))


def _rule(number: str, titles: dict[str, str]) -> str:
    return f"{number} {titles[number]}" if number in titles else number


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()

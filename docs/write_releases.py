"""The tables of semantics.md about releases of SGLang: which rules each has, and what it is put to.

``python docs/write_releases.py`` writes them anew from what ``impl/sglang/releases.py`` says.
"""

from __future__ import annotations

from pathlib import Path

import driven

from radixproof.impl.sglang.releases import OWN_DESIGN, RULES, Rule

DOCUMENT = Path(__file__).resolve().parent / "semantics.md"


def main() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(written(text), encoding="utf-8")


def written(text: str) -> str:
    """The document with its tables as they must be."""
    for name, table in (("rules", _rules()), ("fields", _fields()), ("driven", _driven())):
        begin = f"<!-- {name}: made by docs/write_releases.py -->\n"
        end = f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = "".join((before, begin, *(f"{line}\n" for line in table), end, after))
    return text


def _rules() -> list[str]:
    rows = [f"| {rule.since or 'none so far'} | {rule.rule} | {_before(rule)} |" for rule in RULES]
    return ["| wheel | new rule | before it |", "|---|---|---|", *rows]


def _before(rule: Rule) -> str:
    return rule.before or f"`{rule.field}`"


def _fields() -> list[str]:
    rows = [f"| `{field}` | {text} |" for field, text in OWN_DESIGN.items()]
    return ["| field | on |", "|---|---|", *rows]


def _driven() -> list[str]:
    rows = [f"| {' | '.join(row)} |" for row in driven.table()]
    return [f"| {' | '.join(driven.HEAD)} |", "|---|---|---|---|", *rows]


if __name__ == "__main__":
    main()

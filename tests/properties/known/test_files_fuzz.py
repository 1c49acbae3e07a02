"""Files of known findings with something wrong in them: read as what they say, or refused."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest

from radixproof.properties.known.entry import KnownError
from radixproof.properties.known.files import Accepted, Known, accept, load_known

TODAY = date(2027, 1, 31)
SYSTEMS = ("radix", "sglang==0.5.13.post1", "sglang", "my_cache:target", "")
ONE = """\
[[finding]]
signature = "LOCK/swa-too-few"
reason = "the release of a lock takes the count of another"
systems = ["sglang", "radix"]
releases = ">=0.5.13,<0.5.20"
upstream = 36848
until = 2027-01-31
"""
PIECES = ["0", "-1", "1.5", "9" * 30, "9" * 5_000, "true", "nan", "inf", '"', "'", '"""', "{", "}"]
PIECES += [
    "[",
    "]",
    "[[",
    "]]",
    "=",
    "\n",
    ",",
    ".",
    "#",
    "\\",
    "\0",
    "\x7f",
    "é",
    "\u2028",
    "[" * 5_000,
]
PIECES += [
    '"\\ud800"',
    "2027-02-31",
    "0000-01-01",
    "12:00:00",
    "2027-01-31T00:00:00Z",
    "[[finding]]",
]
PIECES += [
    "signature",
    "reason",
    '">=1,<x"',
    '"~=1"',
    '"==1.*"',
    '"===x"',
    '"https://x"',
    '""',
    "x" * 5_000,
]


def damaged(text: str, rng: Random) -> str:
    """A text, a few places of which are cut out, doubled, moved or overwritten: values, or any."""
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.6:
            lines = text.split("\n")
            at = rng.randrange(len(lines))
            name, is_value, value = lines[at].partition(" = ")
            piece = rng.choice((*PIECES, value * 2, value[:-1]))
            lines[at] = rng.choice((f"{name} = {piece}", piece, f"{piece}{is_value}{value}", ""))
            text = "\n".join(lines)
        else:
            start = rng.randrange(len(text) + 1)
            end = min(len(text), start + rng.choice((0, 1, 2, 5, 20, 200)))
            piece = rng.choice((*PIECES, "", text[start:end] * 2, text[end : end + 20]))
            text = text[:start] + piece + text[end:]
    return text


def loaded(file: Path) -> Known | str:
    """What is in a file, or why it is refused."""
    try:
        return load_known(file)
    except KnownError as error:
        return str(error)


@pytest.mark.torture(all=10_000, share=200)
def test_damaged_files_are_read_or_refused(cases: range, tmp_path: Path) -> None:
    """What is read can be asked about any system, and added to, and is what it was then."""
    file, seen = tmp_path / "known.toml", Counter[bool]()
    texts = (ONE, ONE * 2, ONE + ONE.replace("LOCK/swa-too-few", "OWN/lost"))
    for number in cases:
        rng = Random(number)
        file.write_bytes(damaged(rng.choice(texts), rng).encode("utf-8", "surrogatepass"))
        known = loaded(file)
        seen[isinstance(known, Known)] += 1
        if isinstance(known, str):
            assert str(file) in known, number
            assert "\n" not in known, number
            assert len(known) < 1_000, number
            continue
        for system in SYSTEMS:
            passed_over = known.for_system(system, TODAY)
            assert {*passed_over} | {*known.run_out(system, TODAY)} <= {
                one.signature for one in known.entries
            }
        accept(file, [Accepted("radix", "OWN/full-lost")], TODAY)
        again = load_known(file)
        assert again.entries[: len(known.entries)] == known.entries, number
        assert "OWN/full-lost" in again.for_system("radix", TODAY), number
    assert min(seen.values()) > len(cases) / 20

"""Files of histories with something wrong in them: read as what they say, or refused in words."""

from __future__ import annotations

from random import Random

import pytest

from radixproof.properties.histories.corpus import FOLDER
from radixproof.properties.histories.history_json import HistoryError, from_json, to_json

PIECES = ["0", "1", "-1", "9" * 30, "1.5", "1e9", "true", "null", '"', "{", "}", "[", "]", ",", ":"]
PIECES += ["\\", "\0", "é", '"op"', '"tokens"', '"config"', "[1, 2]", "{}", '"radixproof": 2']


@pytest.fixture(scope="module")
def files() -> list[str]:
    """What is stored in the corpus, as text."""
    return [file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.json"))]


def damaged(text: str, rng: Random) -> str:
    """A text, a few places of which are cut out, doubled, moved or overwritten."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 1, 1, 2, 5, 20, 200)))
        piece = rng.choice((*PIECES, "", text[start:end] * 2, text[end : end + 20]))
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.torture(all=50_000, share=2000)
def test_damaged_files_are_read_or_refused(files: list[str], cases: range) -> None:
    """Whatever is read can be written, and is the same when it is read again."""
    reasons = set()
    for number in cases:
        rng = Random(number)
        text = damaged(rng.choice(files), rng)
        try:
            history = from_json(text)
        except HistoryError as error:
            reasons.add(str(error))
        else:
            assert from_json(to_json(history)) == history
    assert len(reasons) > len(cases) / 20, "they are refused for many reasons"

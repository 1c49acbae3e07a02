"""Every format that history files ever had is read, and means what it meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radixproof.impl.registry import find
from radixproof.properties.histories.history_json import HistoryError, from_json, to_json
from radixproof.properties.histories.upgrades import FORMAT, UPGRADES
from radixproof.properties.running.run import run_history

FOLDER = Path(__file__).parent
OLD = sorted(FOLDER.glob("format_*/*.json"))
"""Files as they were written then, never to be changed."""


def test_every_older_format_has_a_reader_and_a_sample() -> None:
    older = list(range(1, FORMAT))
    assert sorted(UPGRADES) == older
    assert sorted({file.parent.name for file in OLD}) == [f"format_{number}" for number in older]


@pytest.mark.parametrize("file", OLD, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_an_old_file_is_read_and_written_anew(file: Path) -> None:
    text = file.read_text()
    assert f'"radixproof": {file.parent.name.removeprefix("format_")},' in text
    history = from_json(text)
    again = to_json(history)
    assert from_json(again) == history
    assert again.partition("operations")[2] == text.partition("operations")[2], (
        "operations are as they were"
    )


@pytest.mark.parametrize(
    "file", [file for file in OLD if file.stem.startswith("fault-")], ids=lambda file: file.stem
)
def test_an_old_file_fails_as_it_did(file: Path) -> None:
    history = from_json(file.read_text())
    verdict = run_history(find(history.origin["system"]), history)
    assert verdict is not None
    assert verdict.breach.signature == history.origin["signature"]
    assert verdict.step == len(history.operations) - 1


def document(number: object, **config: object) -> str:
    return json.dumps({"radixproof": number, "config": config, "operations": []})


def test_format_1_called_the_eviction_policy_order() -> None:
    assert from_json(document(1, order="slru")) == from_json(document(2, eviction_policy="slru"))
    with pytest.raises(HistoryError, match=r"config\.eviction_policy: must be one of lru"):
        from_json(document(1, order="random"))
    with pytest.raises(HistoryError, match="config: unknown field 'order'"):
        from_json(document(2, order="lru"))


@pytest.mark.parametrize("number", [0, -1, 1.0, "2", True, None, FORMAT + 1])
def test_a_format_that_nobody_knows_is_refused(number: object) -> None:
    with pytest.raises(HistoryError, match="not a history") as refused:
        from_json(document(number))
    assert ("a newer radixproof wrote it" in str(refused.value)) is (number == FORMAT + 1)

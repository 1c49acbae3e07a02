"""What the processes of an exploration do."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import History, Insert
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.exploring.expanding import Broken
from radixproof.properties.exploring.scopes import SCOPES
from radixproof.properties.exploring.working import Chunk, Found, Wrong, work

SWA = SCOPES["swa"]
FAULT = "fault:split-parent-not-backed-up"
LOST = Breach(Property.PROGRESS, "never-backed-up", "")
HISTORY = History(Config(window=1, swa_pages=8, swa_host_pages=8), (Insert(Key((1, 2)), 1),))


def test_a_chunk_is_expanded_state_by_state() -> None:
    job = Chunk("radix", SWA, frozenset(), (b"", b"\0"))
    done = work(job, None)
    assert isinstance(done, list)
    assert [one.path for one in done] == [b"", b"\0"]
    assert str(job) == "radix, scope swa, 2 states from that on behind: nothing"
    one = Chunk("radix", SWA, frozenset(), (b"\0\1",))
    assert str(one) == "radix, scope swa, the state behind: insert [1] reuse; insert [2] reuse"


@pytest.mark.parametrize("known", [frozenset[str](), frozenset({LOST.signature})])
def test_what_is_wrong_is_put_in_words_even_where_it_is_known(known: frozenset[str]) -> None:
    found = work(Wrong(FAULT, SWA, known, Broken(HISTORY, LOST), 7, "here"), None)
    assert isinstance(found, Found)
    assert found.signature == LOST.signature
    assert found.folder.path == "here/fault-split-parent-not-backed-up/progress-never-backed-up-swa"
    assert "7 steps" in found.folder.report or "Found by the explorer" in found.folder.report

"""What the death of a process is, as a breach."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import History, Insert
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.guarding.child import Died
from radixproof.properties.guarding.deaths import as_death, breach, death, is_fatal
from radixproof.properties.running.journal import Doing

HISTORY = History(Config(), (Insert(Key((1, 2))),))


@pytest.mark.parametrize("error", ["hang", "exit-code-3", "SIGSEGV", "SIGRTMIN+6", "SIGRTMAX"])
def test_a_death_is_told_by_its_breach(error: str) -> None:
    found = death("toy", Died(error, "ended the process", "f", Doing.STEP, HISTORY, 0.0))
    assert is_fatal(breach(found))
    assert as_death(HISTORY, breach(found)) == found


@pytest.mark.parametrize("error", ["KeyError", "SystemExit", "SIGNOT+6"])
def test_what_is_only_raised_is_none(error: str) -> None:
    found = death("toy", Died(error, "raised", "f", Doing.STEP, HISTORY, 0.0))
    assert not is_fatal(breach(found))

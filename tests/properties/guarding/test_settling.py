"""What is said of a death that does not come again."""

from __future__ import annotations

import pytest

from radixproof.impl.operations import Evict, History, Insert
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.guarding.child import Died, Ending, Returned
from radixproof.properties.guarding.settling import Went, unrepeated
from radixproof.properties.performing.outcomes import Crashed, Freed, Inserted
from radixproof.properties.running.journal import Death, Doing

HISTORY = History(Config(), (Insert(Key((1, 2))), Evict(1)))


def died(error: str) -> Death:
    return Death(HISTORY, Crashed(error, "it ended the process", "Cache.evict", fatal=True))


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (Returned(Went((Inserted(0), Freed(1)), None), 0.0), "in one of its own, freed 1 FULL"),
        (Returned(Went((), None), 0.0), "in one of its own, it was not reached"),
        (
            Died("SIGSEGV", "ended the process", "f", Doing.STEP, HISTORY, 0.0),
            "in one of its own, SIGSEGV",
        ),
    ],
)
def test_repeat_names_the_step_that_differs(again: Ending[Went], said: str) -> None:
    breach = unrepeated("toy", died("SIGABRT"), again)
    assert breach.signature == "REPEAT/SIGABRT@Cache.evict"
    assert breach.text.startswith(
        "step 2, evict full 1, differs: in the process of the search, SIGABRT in Cache.evict"
    )
    assert said in breach.text


def test_a_process_that_somebody_else_killed_is_no_finding() -> None:
    again = Returned(Went((Inserted(0), Freed(1)), None), 0.0)
    with pytest.raises(Unavailable, match=r"\(SIGKILL\) during evict full 1, .* memory ran out"):
        unrepeated("toy", died("SIGKILL"), again)

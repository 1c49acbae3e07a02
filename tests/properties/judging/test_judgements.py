"""Every operation is judged: none is passed over for want of a judgement."""

from __future__ import annotations

from typing import get_args

from radixproof.impl.operations import (
    OPERATIONS,
    Abort,
    Arrive,
    Decode,
    EndPrefetch,
    Finish,
    Prefill,
    Reset,
)
from radixproof.properties.judging.judgements import BROKEN, JUDGEMENTS
from radixproof.properties.performing.outcomes import Crashed, Outcome, Skipped
from radixproof.properties.performing.step import Adopt, CopyState, HandOver, ReleaseState

IN_PARTS = {Arrive, Prefill, Decode, Finish, Abort, EndPrefetch}
"""Operations that are judged by their parts."""


def test_every_operation_has_a_judgement_and_nothing_else_has() -> None:
    """But for a reset, for which the judge starts anew."""
    parts = {Adopt, CopyState, HandOver, ReleaseState}
    assert set(JUDGEMENTS) == {*OPERATIONS, *parts} - IN_PARTS - {Reset}


def test_every_outcome_breaks_a_property_where_another_came_back() -> None:
    """But for those of an operation that was not performed to its end."""
    assert set(BROKEN) == {*get_args(Outcome)} - {Skipped, Crashed}

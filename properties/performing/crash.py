"""What a system raised, as an outcome: the error, and the function of the system it came from."""

from __future__ import annotations

import traceback
from types import TracebackType

from radixproof.properties.performing.outcomes import Crashed

LONGEST = 200
"""Characters of a message that are kept."""


def crash(error: Exception) -> Crashed:
    return Crashed(type(error).__name__, _first_line(error), _where(error.__traceback__))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:LONGEST]


def _where(trace: TracebackType | None) -> str:
    """The innermost function of the system under test; if that is neither ours nor SGLang's, the
    innermost outside the harness.
    """
    frames = [
        (frame.f_globals.get("__name__", ""), frame.f_code.co_qualname)
        for frame, _ in traceback.walk_tb(trace)
    ]
    known = [name for module, name in frames if module.startswith(("sglang.", "radixproof.impl."))]
    others = [
        name
        for module, name in frames
        if not module.startswith(("radixproof.properties.", "radixproof.model."))
    ]
    return (known or others or ["?"])[-1]

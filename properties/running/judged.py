"""A history that has been run and judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from radixproof.impl.operations import History
from radixproof.model.verdict import Breach
from radixproof.properties.judging.applicable import Unjudged


@dataclass(frozen=True, slots=True)
class JudgedHistory:
    """The operations that were run, and the first breach that was not known yet, if any."""

    history: History
    breach: Breach | None
    milestones: Counter[Any] | None = None
    """How often it met each milestone of ``coverage``, if the driver watches for them."""
    unjudged: Counter[Unjudged] = field(default_factory=Counter)
    """How often each check was due but could not be made, if the driver counts that."""

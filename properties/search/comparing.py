"""A known finding met in a source tree: does the release of which it is known do the same?

A signature says what is wrong, and not why: a new defect may bear the name of a known one. So what
is known of a release is passed over in a source tree of it only as far as the release itself, in
the same history, comes to it as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from radixproof.properties.running.run import Verdict
from radixproof.properties.running.trace import Shown


class OnlyHere(NamedTuple):
    """A breach that one of two systems comes to in a history, and the other does not."""

    verdict: Verdict
    parting: int
    """The first step, from 0, in which the two differ."""

    @property
    def signature(self) -> str:
        return self.verdict.breach.signature


def only_here(
    here: Sequence[Shown], there: Sequence[Shown], known: Collection[str]
) -> OnlyHere | None:
    """The first breach that is ``known`` of another system and, in this history, not made by it.

    As long as the two are alike, it has to be made there in the same step. Once they are not, in
    any: a copy that was not made may be missed much later. But if they part over something that is
    wrong there and not here, nothing is said of what follows, which comes of another state.
    """
    ever = {signature for other in there for signature in other.breaches}
    earlier: dict[str, None] = {}
    parting: int | None = None
    for at, (one, other) in enumerate(zip(here, there, strict=False)):
        made = set(other.breaches) if parting is None else ever
        for breach in one.found:
            if breach.signature in known and breach.signature not in made:
                verdict = Verdict(breach, at, tuple(earlier))
                return OnlyHere(verdict, at if parting is None else parting)
        if parting is None and one != other:
            if not made.issubset(one.breaches):
                return None
            parting = at
        earlier.update(dict.fromkeys(one.breaches))
    return None

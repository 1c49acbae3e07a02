"""A known finding met in a source tree: does the release of which it is known do the same?

A signature says what is wrong, and not why: a new defect may bear the name of a known one. So what
is known of a release is passed over in a source tree of it only as far as the release itself comes
to it as well: in the same history, or from the same state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from radixproof.properties.running.run import Verdict
from radixproof.properties.running.trace import Shown


class OnlyHere(NamedTuple):
    """A breach that one of two systems comes to in a history, and the other does not."""

    verdict: Verdict
    parting: int
    """The first step, from 0, in which the two differ."""
    there: str
    """What the other shows in that step, and this one does not."""

    @property
    def signature(self) -> str:
        return self.verdict.breach.signature

    @property
    def at_once(self) -> bool:
        """The two differ first in the step of the breach. Otherwise the difference may only have
        led to a state in which the other would do the same.
        """
        return self.verdict.step == self.parting


def only_here(
    here: Sequence[Shown], there: Sequence[Shown], known: Collection[str]
) -> Iterator[OnlyHere]:
    """The first breach of each signature that is ``known`` of another system and, in this history,
    not made by it.

    As long as the two are alike, it has to be made there in the same step. Once they are not, in
    any: a copy that was not made may be missed much later. But if they part over something that is
    wrong there and not here, nothing is said of what follows, which comes of another state.
    """
    ever = {signature for other in there for signature in other.breaches}
    earlier: dict[str, None] = {}
    told: set[str] = set()
    parting: int | None = None
    for at, (one, other) in enumerate(zip(here, there, strict=False)):
        made = set(other.breaches) if parting is None else ever
        for breach in one.found:
            if breach.signature in known and breach.signature not in made | told:
                told.add(breach.signature)
                since = at if parting is None else parting
                verdict = Verdict(breach, at, tuple(earlier))
                yield OnlyHere(verdict, since, _difference(here[since], there[since]))
        if parting is None and one != other:
            if not made.issubset(one.breaches):
                return
            parting = at
        earlier.update(dict.fromkeys(one.breaches))


def likewise(here: Sequence[Shown], there: Sequence[Shown]) -> bool:
    """Whether two whole histories come to the same state before their last steps, and these show
    the same: so the other system does the same from there.
    """
    if min(len(here), len(there)) < 2:
        return False
    return here[-2].nodes == there[-2].nodes and here[-1] == there[-1]


def _difference(here: Shown, there: Shown) -> str:
    """What is told there of a step; where that is the same, a node that it leads to only there."""
    if here.outcome != there.outcome:
        return there.outcome
    return next(iter(sorted(there.nodes - here.nodes)), "")

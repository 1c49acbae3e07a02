"""Work rehearsed: it is done in a child first, so that this process outlives what would end it.

For systems that are known to end processes: to fork costs less than to begin anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from radixproof.properties.guarding.child import Died, in_child
from radixproof.properties.guarding.deaths import breach, death, too_many
from radixproof.properties.running import journal
from radixproof.properties.running.journal import Doing


def rehearse(
    system: str, work: Callable[[], Any], known: Collection[str], patience: float, most: int
) -> None:
    """Do ``work`` in children until one of them lives; what ended the others is known afterwards.

    What would end it in a way that is not ``known`` is left to happen here: a fork may do what no
    process of its own does. Raises `Unavailable` when the deaths known are ``most``.
    """
    deaths = journal.current().deaths
    while True:
        ending = in_child(lambda _: work() and None, step_seconds=patience, deaths=deaths)
        if not isinstance(ending, Died) or ending.doing is not Doing.STEP:
            return
        died = death(system, ending)
        if breach(died).signature not in known:
            return
        if len(deaths) >= most:
            raise too_many(system, deaths)
        deaths.append(died)

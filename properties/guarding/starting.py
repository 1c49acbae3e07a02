"""A system imported and built for the first time, so that both are done with before it is run."""

from __future__ import annotations

from radixproof.impl import registry
from radixproof.impl.system import Target
from radixproof.properties.generating.configs import plainest
from radixproof.properties.guarding.last_words import listen_again
from radixproof.properties.performing.building import built, closed
from radixproof.properties.running import journal


def started(system: str) -> Target:
    """The system called so, imported.

    Raises `UnknownSystem`, or `Unavailable` if it cannot be built.
    """
    record = journal.current()
    record.starting()
    target = registry.find(system)
    closed(target.name, built(target, plainest(target.scope)))
    record.idle()
    listen_again()
    return target

"""Systems built and closed, where what goes wrong is said to be theirs."""

from __future__ import annotations

from radixproof.impl.system import System, Target, Unavailable, close
from radixproof.model.config import Config
from radixproof.properties.performing.crash import crash, is_of_the_system


def built(target: Target, config: Config) -> System:
    """A new system. Raises `Unavailable`, also for whatever the system raises."""
    try:
        return target.build(config)
    except Unavailable:
        raise
    except BaseException as error:
        if not is_of_the_system(error):
            raise
        raised = crash(error)
        raise Unavailable(f"{target.name} could not be built with {config}: {raised}") from error


def closed(name: str, system: System) -> None:
    """Close a system. Raises `Unavailable` for whatever it raises."""
    try:
        close(system)
    except BaseException as error:
        if not is_of_the_system(error):
            raise
        raise Unavailable(f"{name} could not be closed: {crash(error)}") from error

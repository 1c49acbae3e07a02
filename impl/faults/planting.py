"""How a fault is planted: by name, into one cache object after it has been built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from radixproof.impl.radix_adapter.target import target as radix
from radixproof.impl.system import System, Target
from radixproof.model.config import Config
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted bug: its record, what goes wrong, and the property that should see it first."""

    name: str
    record: str
    sentence: str
    sees: Property
    plant: Callable[[RadixCache], None]


FAULTS: dict[str, Fault] = {}
INVENTED = "invented"
"""The record of a bug that nobody has reported, as far as we know."""


def fault(
    record: str, sentence: str, sees: Property
) -> Callable[[Callable[[RadixCache], None]], Callable[[RadixCache], None]]:
    """Register the decorated function as a fault under its own name."""

    def register(plant: Callable[[RadixCache], None]) -> Callable[[RadixCache], None]:
        name = plant.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, record, sentence, sees, plant)
        return plant

    return register


def target(name: str) -> Target:
    """Our implementation with the fault called ``name`` planted.

    Raises KeyError if there is none.
    """
    chosen, clean = FAULTS[name], radix()

    def build(config: Config) -> System:
        from radixproof.impl.radix_adapter.adapter import RadixSystem

        system = clean.build(config)
        assert isinstance(system, RadixSystem)
        chosen.plant(system.cache)
        return system

    return replace(clean, name=f"fault:{name}", summary=chosen.sentence, build=build)

"""Sabotage: one small wrong thing, done once, at one chosen occasion of a history.

A fault is permanent; a sabotage strikes once. Each kind of sabotage watches for the occasions on
which it could be done, and a saboteur counts them: so the number of an occasion names one moment of
a history, the same in every run of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from radixproof.impl.radix_adapter.target import target as radix
from radixproof.impl.system import System, Target
from radixproof.model.config import Component, Config

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache


class Policy(Enum):
    """When a cache makes host copies."""

    WRITE_THROUGH = "write-through"
    SELECTIVE = "selective"
    """Write-through after more than one hit."""
    WRITE_BACK = "write-back"
    NO_HOST = "no host"

    @classmethod
    def of(cls, config: Config) -> Policy:
        if not config.hosted:
            return cls.NO_HOST
        if config.write_back:
            return cls.WRITE_BACK
        return cls.SELECTIVE if config.threshold > 1 else cls.WRITE_THROUGH


class Situation(Enum):
    """What a cache is in the middle of when it is sabotaged; mostly several things at once."""

    IDLE = "idle"
    LOCKS = "locks out"
    LOADING = "load-back in flight"
    BACKING_UP = "backup in flight"
    HOST_FULL = "host full"
    SHORT = "several pools short"
    REFUSED = "after a refusal"
    RANKS = "several ranks"
    """All of which do the wrong thing."""
    ALONE = "one rank alone"


Strikes: TypeAlias = Callable[[Component], bool]
"""Asked on every occasion, with the component that is concerned: whether to do the wrong thing."""
HOSTED = (Policy.WRITE_THROUGH, Policy.SELECTIVE, Policy.WRITE_BACK)
THROUGH = (Policy.WRITE_THROUGH, Policy.SELECTIVE)
EVERY = tuple(Policy)
ALL = FULL, SWA, MAMBA = tuple(Component)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sabotage, and what forbids it, which was settled before any was tried."""

    name: str
    wrong: str
    """What is done wrong."""
    rule: str
    """The rule of docs/semantics.md that it breaks, by number."""
    sentence: str
    """The sentence of that rule, word for word."""
    plant: Callable[[RadixCache, Strikes], None]
    components: tuple[Component, ...] = (FULL,)
    policies: tuple[Policy, ...] = EVERY
    needs: tuple[Situation, ...] = ()
    """Situations that a cache always is in when this can be done."""


KINDS: dict[str, Kind] = {}

Plant: TypeAlias = Callable[["RadixCache", Strikes], None]


def kind(
    wrong: str,
    rule: str,
    sentence: str,
    components: tuple[Component, ...] = (FULL,),
    policies: tuple[Policy, ...] = EVERY,
    needs: tuple[Situation, ...] = (),
) -> Callable[[Plant], Plant]:
    """Register the decorated function as a kind of sabotage under its own name."""

    def register(plant: Plant) -> Plant:
        name = plant.__name__.replace("_", "-")
        KINDS[name] = Kind(name, wrong, rule, sentence, plant, components, policies, needs)
        return plant

    return register


@dataclass(slots=True)
class Saboteur:
    """Counts the occasions for one kind of sabotage on one cache, and takes number ``at``."""

    at: int | None = None
    note: Callable[[Component, int], None] | None = None
    """Told of every occasion."""
    occasions: int = 0
    struck: bool = False

    def strikes(self, component: Component) -> bool:
        number = self.occasions
        self.occasions += 1
        if self.note is not None:
            self.note(Component(component), number)
        if number != self.at:
            return False
        self.struck = True
        return True


@dataclass(slots=True)
class Sabotaged:
    """Our implementation with a saboteur in each rank, or in the second one alone."""

    kind: str
    at: int
    alone: bool = False
    saboteurs: list[Saboteur] = field(default_factory=list)

    @property
    def struck(self) -> bool:
        """Whether the wrong thing has been done anywhere by now."""
        return any(saboteur.struck for saboteur in self.saboteurs)

    def target(self) -> Target:
        """To be built once, for one run of a history."""
        chosen = KINDS[self.kind]

        def plant(cache: RadixCache, policy: Policy) -> None:
            idle = self.alone and len(self.saboteurs) != 1
            self.saboteurs.append(Saboteur(None if idle else self.at))
            chosen.plant(cache, self.saboteurs[-1].strikes)

        return _with(f"sabotage:{self.kind}", chosen.wrong, plant)


def scouted(note: Callable[[str, Component, int], None]) -> Target:
    """Our implementation, which does nothing wrong; ``note`` is told of every occasion for every
    kind of sabotage in the first rank.
    """
    ranks: list[RadixCache] = []

    def plant(cache: RadixCache, policy: Policy) -> None:
        ranks.append(cache)
        for name, one in KINDS.items() if len(ranks) == 1 else ():
            if policy in one.policies:
                one.plant(cache, Saboteur(note=_named(note, name)).strikes)

    return _with("scouted", "our implementation, with a saboteur who does nothing", plant)


def _named(
    note: Callable[[str, Component, int], None], name: str
) -> Callable[[Component, int], None]:
    return lambda component, number: note(name, component, number)


def _with(name: str, summary: str, plant: Callable[[RadixCache, Policy], None]) -> Target:
    clean = radix()

    def build(config: Config) -> System:
        from radixproof.impl.radix_adapter.adapter import RadixSystem

        system = clean.build(config)
        assert isinstance(system, RadixSystem)
        plant(system.cache, Policy.of(config))
        return system

    return replace(clean, name=name, summary=summary, build=build)

"""A system that insists on what `System` promises of the calls that it gets.

What a cache without SWA, MAMBA or priorities may count on, its adapter need not check; so whatever
history is performed, it must hold, or a cache would be blamed for what the harness asked of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from radixproof.impl.observation import PerComponent
from radixproof.impl.system import Insertion, System, Target
from radixproof.model.config import COMPONENTS, Component, Config, EvictionPolicy, Pool
from radixproof.model.key import Key


class BrokenPromise(BaseException):
    """No `Exception`: that would be taken for a crash of the system."""


def promised(target: Target) -> Target:
    """The target, with its systems wrapped."""

    def build(config: Config) -> System:
        return Promised(target.build(config), config)

    return replace(target, build=build)


class Promised:
    """A system and its promises; all else is passed on."""

    def __init__(self, system: Any, config: Config) -> None:
        self._system, self._config = system, config

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def allocate(self, tokens: int) -> list[int] | None:
        keep(tokens > 0 and tokens % self._config.page_size == 0, f"allocate {tokens}")
        found: list[int] | None = self._system.allocate(tokens)
        return found

    def free(self, slots: Sequence[int]) -> None:
        keep(len(slots) % self._config.page_size == 0, f"free {len(slots)} slots")
        self._system.free(slots)

    def free_swa(self, slots: Sequence[int]) -> None:
        keep(self._config.window is not None, "free_swa without SWA")
        keep(len(slots) % self._config.page_size == 0, f"free_swa of {len(slots)} slots")
        self._system.free_swa(slots)

    def insert(
        self,
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None = None,
        priority: int = 0,
        inserted: int = 0,
    ) -> Insertion:
        config = self._config
        keep(len(slots) == len(key.units(config.bigram)), "a slot for every token")
        keep(state is None or config.mamba_states > 0, "a state without MAMBA")
        keep(evicted <= protected or config.window is not None, "evicted without SWA")
        keep(protected <= len(slots) and evicted <= len(slots), "boundaries within the prompt")
        by_priority = config.eviction_policy is EvictionPolicy.PRIORITY
        keep(priority == 0 or by_priority, f"priority {priority} without priorities")
        keep(inserted <= len(slots) and not inserted % config.page_size, f"{inserted} inserted")
        made: Insertion = self._system.insert(
            key, slots, protected, evicted, state, priority, inserted
        )
        return made

    def evict(self, full: int, swa: int, mamba: int) -> PerComponent:
        for component, count in zip(COMPONENTS, (full, swa, mamba), strict=True):
            keep(
                count == 0 or component in self._config.components,
                f"evict {count} of {component.name}, which is not there",
            )
        freed: PerComponent = self._system.evict(full, swa, mamba)
        return freed

    def evict_host(self, tokens: int, component: Component) -> int:
        keep(self._config.hosted and component in self._config.components, "evict_host")
        freed: int = self._system.evict_host(tokens, component)
        return freed

    def refuse(self, pool: Pool) -> None:
        keep(pool in self._config.pools, f"refuse {pool.name}")
        self._system.refuse(pool)


def keep(promise: bool, what: str) -> None:
    if not promise:
        raise BrokenPromise(what)

"""The configuration a cache is built with: everything a history needs besides its operations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Component(IntEnum):
    """A kind of state that hangs on the nodes of the tree (semantics 1.2)."""

    FULL = 0
    SWA = 1


class Pool(IntEnum):
    """A pool of slots: one component on one tier (semantics 1.3)."""

    FULL = 0
    SWA = 1
    FULL_HOST = 2
    SWA_HOST = 3

    @property
    def component(self) -> Component:
        return COMPONENTS[self % 2]

    @property
    def on_host(self) -> bool:
        return self >= Pool.FULL_HOST


COMPONENTS = tuple(Component)
POOLS = tuple(Pool)
FULL_POOLS = (Pool.FULL, Pool.FULL_HOST)


class ConfigError(ValueError):
    """A configuration that no cache can be built with."""


@dataclass(frozen=True, slots=True)
class Config:
    """Shape of one cache under test.

    Units: ``window`` is in tokens; pool sizes are in pages of ``page_size`` tokens; ``threshold`` is in hits (1 is write-through,
    2 is write-through-selective, semantics 8.1). ``window`` is None for a FULL-only cache, whose SWA pools must have no pages.
    """

    page_size: int = 1
    window: int | None = None
    device_pages: int = 8
    swa_pages: int = 0
    host_pages: int = 16
    swa_host_pages: int = 0
    threshold: int = 1

    def __post_init__(self) -> None:
        for name, least in (("page_size", 1), ("device_pages", 1), ("host_pages", 1), ("threshold", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.window is None:
            if self.swa_pages or self.swa_host_pages:
                raise ConfigError("a FULL-only cache (window null) has no SWA pools: swa_pages and swa_host_pages must be 0")
        elif min(self.window, self.swa_pages, self.swa_host_pages) < 1:
            raise ConfigError("with a window, window, swa_pages and swa_host_pages must all be at least 1")

    @property
    def components(self) -> tuple[Component, ...]:
        return COMPONENTS[:1] if self.window is None else COMPONENTS

    @property
    def pools(self) -> tuple[Pool, ...]:
        return FULL_POOLS if self.window is None else POOLS

    def pages(self, pool: Pool) -> int:
        """Size of a pool in pages."""
        return (self.device_pages, self.swa_pages, self.host_pages, self.swa_host_pages)[pool]

    def slots(self, pool: Pool) -> int:
        """Size of a pool in slots (one slot holds the state of one token)."""
        return self.pages(pool) * self.page_size

    def floor(self, tokens: int) -> int:
        """``tokens`` rounded down to whole pages (semantics 2.3)."""
        return tokens - tokens % self.page_size

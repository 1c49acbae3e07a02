"""The configuration a cache is built with: everything a history needs besides its operations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cached_property

from radixproof.model.source_text import AsSource


class Component(IntEnum):
    """A kind of state that hangs on the nodes of the tree (semantics 1.2)."""

    FULL = 0
    SWA = 1
    MAMBA = 2


class Pool(IntEnum):
    """A pool of slots: one component on one tier (semantics 1.3)."""

    FULL = 0
    SWA = 1
    MAMBA = 2
    FULL_HOST = 3
    SWA_HOST = 4
    MAMBA_HOST = 5

    def __init__(self, value: int) -> None:
        self.component = Component(value % len(Component))
        self.on_host = value >= len(Component)


COMPONENTS = tuple(Component)
POOLS = tuple(Pool)
DEVICE = POOLS[: len(COMPONENTS)]
"""Pools on the device, indexed by `Component`."""
HOST = POOLS[len(COMPONENTS) :]
"""Pools on the host, likewise."""


class EvictionPolicy(Enum):
    """Which evictable leaf goes first; ties go to the least recently used (semantics 7.2)."""

    LRU = "lru"
    LFU = "lfu"
    FIFO = "fifo"
    MRU = "mru"
    FILO = "filo"
    PRIORITY = "priority"
    SLRU = "slru"


class ConfigError(ValueError):
    """A configuration that no cache can be built with."""


@dataclass(frozen=True, repr=False)
class Config(AsSource):
    """Shape of one cache under test.

    ``window`` is in tokens, None for a cache without SWA. Pools are sized in pages of ``page_size``
    tokens, those of MAMBA in states. Without MAMBA states the cache has no MAMBA, without
    ``host_pages`` no host tier.
    """

    page_size: int = 1
    window: int | None = None
    device_pages: int = 8
    swa_pages: int = 0
    mamba_states: int = 0
    host_pages: int = 16
    swa_host_pages: int = 0
    mamba_host_states: int = 0
    write_back: bool = False
    """Back up at eviction only, instead of after ``threshold`` hits (semantics 8.1)."""
    threshold: int = 1
    """Hits after which a node is backed up: 1 is write-through, 2 write-through-selective."""
    eviction_policy: EvictionPolicy = EvictionPolicy.LRU
    load_threshold: int = 1
    """FULL tokens below which nothing is loaded back, unless other state comes with it (9.3)."""
    bigram: bool = False
    """Keys are seen as pairs of neighbouring tokens (EAGLE, semantics 2.2)."""
    track_every: int = 1
    """Pages from one state that an engine tracks for a request to the next, if it tracks any
    (semantics 11.5).
    """
    track_lazily: bool = False
    """It takes a second such state only while it needs one (semantics 11.5)."""
    ranks: int = 1
    """Replicas that run the same history, each with copies that complete at times of their own."""

    def __post_init__(self) -> None:
        ones = ("page_size", "device_pages", "threshold", "load_threshold", "track_every", "ranks")
        for name, count in (dict.fromkeys(ones, 1) | {"mamba_states": 0, "host_pages": 0}).items():
            if getattr(self, name) < count:
                raise ConfigError(f"{name} must be at least {count}, got {getattr(self, name)}")
        self._check_pools("swa", self.swa_pages, self.swa_host_pages, self.window is not None)
        self._check_pools("mamba", self.mamba_states, self.mamba_host_states, self.mamba_states > 0)
        if self.window is not None and self.window < 1:
            raise ConfigError(f"window must be at least 1, got {self.window}")
        if self.write_back and not self.hosted:
            raise ConfigError("write_back needs a host tier: host_pages must be at least 1")
        if self.bigram and self.mamba_states:
            raise ConfigError("bigram keys and MAMBA states exclude each other (semantics 2.2)")

    def _check_pools(self, name: str, pages: int, host_pages: int, present: bool) -> None:
        """A component has room on every tier of the cache, or on none (semantics 1.3)."""
        on_host = present and self.hosted
        fits = (pages > 0) == present and (host_pages > 0) == on_host
        if not fits or min(pages, host_pages) < 0:
            raise ConfigError(
                f"the {name} pools must have room on each tier if the cache has {name} there, "
                "and none if not"
            )

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """The components that the cache has (semantics 1.3)."""
        return tuple(component for component in Component if self.pages(DEVICE[component]))

    @property
    def hosted(self) -> bool:
        """Whether there is a host tier (semantics 1.3)."""
        return self.host_pages > 0

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """The pools that the cache has (semantics 1.3)."""
        return tuple(pool for pool in POOLS if self.pages(pool))

    @cached_property
    def _sizes(self) -> tuple[tuple[int, int], ...]:
        """Per `Pool`: pages, and slots per page (semantics 1.3)."""
        device = (self.device_pages, self.swa_pages, self.mamba_states)
        host = (self.host_pages, self.swa_host_pages, self.mamba_host_states)
        return tuple(zip(device + host, 2 * (self.page_size, self.page_size, 1), strict=True))

    def pages(self, pool: Pool) -> int:
        """Size of a pool in pages, of MAMBA in states (semantics 1.3)."""
        return self._sizes[pool][0]

    def unit(self, pool: Pool) -> int:
        """Slots per page in a pool: one per token, or one for the state at its end (1.3)."""
        return self._sizes[pool][1]

    def slots(self, pool: Pool) -> int:
        """Size of a pool in slots (semantics 1.3)."""
        return self._sizes[pool][0] * self._sizes[pool][1]

    def fetched_window(self, start: int, end: int) -> int:
        """Tokens of SWA that a fetch of what lies between takes along: the whole pages that cover a
        window, or all from the root on; none where it would lack its beginning (semantics 10.2).
        """
        if self.window is None:
            return 0
        whole = -(-self.window // self.page_size) * self.page_size
        if end - start >= whole:
            return whole
        return 0 if start else end

    def floor(self, tokens: int) -> int:
        """``tokens`` rounded down to whole pages (semantics 2.3)."""
        return tokens - tokens % self.page_size

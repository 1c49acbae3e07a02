"""Configuration: the shape of a cache, as the engine that uses it knows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, get_args


class Component(IntEnum):
    """A kind of state that hangs on the nodes of the tree: KV of full attention, KV of
    sliding-window attention, the recurrent state of MAMBA layers.
    """

    FULL = 0
    SWA = 1
    MAMBA = 2


COMPONENTS = tuple(Component)

EvictionPolicy: TypeAlias = Literal["lru", "lfu", "fifo", "mru", "filo", "priority", "slru"]
"""Which evictable leaf goes first; see `eviction_order`."""


class Sizes(NamedTuple):
    """Room on one tier, indexed by `Component`: pages of FULL and of SWA, states of MAMBA."""

    full: int = 0
    swa: int = 0
    mamba: int = 0


_NONE = Sizes()


@dataclass(frozen=True)
class CacheConfig:
    """What a cache is built for. Raises ValueError if no cache can be built so.

    ``window`` is in tokens, or None for a cache without SWA. A cache has the components that have
    room on the ``device``, and a host tier if FULL has room on the ``host``: then so has each of
    the others that the cache has.
    """

    page_size: int
    device: Sizes
    host: Sizes = _NONE
    window: int | None = None
    write_back: bool = False
    """Back nodes up when they are evicted, and only then, instead of after ``threshold`` hits."""
    threshold: int = 1
    """Hits after which a node is backed up: 1 is write-through, 2 write-through-selective."""
    eviction_policy: EvictionPolicy = "lru"
    load_threshold: int = 1
    """FULL tokens below which nothing is loaded back, unless another component comes with them."""
    bigram: bool = False
    """Keys are seen as pairs of neighbouring tokens, as EAGLE needs it."""

    def __post_init__(self) -> None:
        for name in ("page_size", "threshold", "load_threshold"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.window is not None and self.window < 1:
            raise ValueError(f"window must be at least 1, got {self.window}")
        if self.eviction_policy not in get_args(EvictionPolicy):
            raise ValueError(f"no eviction policy is called {self.eviction_policy!r}")
        if min(*self.device, *self.host) < 0 or not self.device.full:
            raise ValueError(f"no cache is of {self.device} on the device and {self.host}")
        if (self.window is not None) != (self.device.swa > 0):
            raise ValueError("a cache has a window and room for SWA, or neither")
        for component in COMPONENTS:
            present = self.hosted and self.device[component] > 0
            if (self.host[component] > 0) != present:
                raise ValueError(f"room on the host for {component.name}: {self.host[component]}")
        if self.write_back and not self.hosted:
            raise ValueError("write_back needs a host tier")
        if self.bigram and self.stateful:
            raise ValueError("pairs of tokens as keys and MAMBA states exclude each other")

    @cached_property
    def components(self) -> tuple[Component, ...]:
        return tuple(component for component in COMPONENTS if self.device[component])

    @property
    def hosted(self) -> bool:
        """Whether there is a host tier."""
        return self.host.full > 0

    @property
    def stateful(self) -> bool:
        """Whether there are MAMBA states."""
        return self.device.mamba > 0

    def slots_per_page(self, component: Component) -> int:
        """Slots that a page takes in a pool of ``component``: one a token; a state takes one."""
        return 1 if component is Component.MAMBA else self.page_size

    def floor(self, tokens: int) -> int:
        """``tokens`` rounded down to whole pages."""
        return tokens - tokens % self.page_size

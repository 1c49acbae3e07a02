"""The interface of the device memory of a cache, whatever its components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from radixproof.impl.observation import Slots
from radixproof.impl.sglang.memory.states import StateMemory
from radixproof.model.config import Component, Config

HEADS = 2
HEAD_DIM = 2


class ComponentMemory(Protocol):
    """The device memory of one component."""

    @property
    def allocator(self) -> Any: ...

    @property
    def pool(self) -> Any: ...

    @property
    def layers(self) -> Sequence[int]:
        """Layer numbers in the model."""

    def free_slots(self) -> Slots: ...

    def free_count(self) -> int:
        """How many they are."""


@dataclass(frozen=True, slots=True)
class TokenMemory:
    """The device memory of a component with keys and values of tokens."""

    allocator: Any
    pool: Any
    layers: Sequence[int]

    def free_slots(self) -> Slots:
        """Allocators of paged pools count in pages. What was released last may lie apart."""
        free = [page for pages in self._free_pages() for page in pages.tolist()]
        size = self.allocator.page_size
        if size == 1:
            return tuple(free)
        return tuple([start * size + offset for start in free for offset in range(size)])

    def free_count(self) -> int:
        size: int = self.allocator.page_size
        return size * sum(map(len, self._free_pages()))

    def _free_pages(self) -> list[Any]:
        allocator = self.allocator
        return [
            pages for pages in (allocator.free_pages, allocator.release_pages) if pages is not None
        ]


class DeviceMemory(Protocol):
    """The device memory of one cache. SGLang numbers the slots: slot 0, or page 0, is padding."""

    @property
    def allocator(self) -> Any:
        """What requests and the tree allocate from."""

    @property
    def components(self) -> Mapping[Component, ComponentMemory]: ...

    @property
    def states(self) -> StateMemory | None:
        """Those of them that are MAMBA's; None without MAMBA."""

    def allocate(self, tokens: int) -> Any:
        """A tensor of FULL slots, with SWA peers where there is SWA; None if there is no room."""

    def free(self, slots: Any) -> None:
        """Free FULL slots and the SWA peers that they have."""

    def free_swa(self, slots: Any) -> None:
        """Free the SWA peers of FULL slots."""

    def peers(self) -> Any:
        """The full→SWA map as an array from FULL slot to SWA peer; None without SWA."""


def shape(config: Config, dtype: Any) -> dict[str, Any]:
    """Arguments that all device pools with keys and values have in common."""
    return {
        "dtype": dtype,
        "page_size": config.page_size,
        "head_num": HEADS,
        "head_dim": HEAD_DIM,
        "device": "cpu",
    }

"""KV pools: the bytes.

A pool knows shapes and devices; who owns which of its slots is the allocators' business.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Slots = npt.NDArray[np.int64]
"""Slot ids, shape [tokens].

Arrays are never written to once a node or a copy holds them; a change replaces the array.
"""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Shape of the KV of one token: [2 (keys, values), layers, heads, dim]."""

    layers: int = 2
    heads: int = 1
    dim: int = 2
    dtype: torch.dtype = torch.float32
    page_first: bool = False
    """All layers of a token are together in memory, and not all tokens of a layer."""


class KVPool:
    """Keys and values of ``pages`` pages of ``page_size`` tokens on one device.

    Slots count from ``page_size``: page 0 is padding that kernels may write to, so slot 0 can mean
    "none" (semantics 13.1). ``kv`` has shape [2, layers, (pages + 1) * page_size, heads, dim].
    ``pinned`` asks for page-locked host memory, which copies from and to CUDA need in order to be
    asynchronous.
    """

    def __init__(
        self,
        pages: int,
        page_size: int,
        geometry: Geometry,
        device: torch.device,
        pinned: bool = False,
    ) -> None:
        slots = (pages + 1) * page_size
        shape = (2, geometry.layers, slots, geometry.heads, geometry.dim)
        if geometry.page_first:
            shape = (slots, 2, geometry.layers, geometry.heads, geometry.dim)
        kv = torch.zeros(shape, dtype=geometry.dtype, device=device, pin_memory=pinned)
        self.kv = kv.permute(1, 2, 0, 3, 4) if geometry.page_first else kv

    @property
    def keys(self) -> torch.Tensor:
        """A view of shape [layers, slots, heads, dim]."""
        return self.kv[0]

    @property
    def values(self) -> torch.Tensor:
        """A view of shape [layers, slots, heads, dim]."""
        return self.kv[1]

    @property
    def device(self) -> torch.device:
        return self.kv.device

    def gather(self, slots: Slots) -> torch.Tensor:
        """A copy of the KV in ``slots`` on the pool's device.

        Its shape is [2, layers, tokens, heads, dim].
        """
        return self.kv.index_select(2, torch.from_numpy(slots).to(self.device))

    def scatter(self, slots: Slots, kv: torch.Tensor) -> None:
        """Write ``kv``, shape [2, layers, tokens, heads, dim] and on any device, into ``slots``."""
        self.kv.index_copy_(2, torch.from_numpy(slots).to(self.device), kv.to(self.device))

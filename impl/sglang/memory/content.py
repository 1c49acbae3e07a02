"""What slots hold: one tag per slot, spread over all its numbers, so that any wrong copy shows.

With layer ``l``, keys hold tag + l / 4, values the negative of that, in every head and dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from radixproof.impl.sglang.memory.device import ComponentMemory, DeviceMemory
from radixproof.model.config import Component, Pool

TAG_LIMIT = 2**22
"""Tags are below it: a tag and a quarter per layer then fit exactly into float32."""

_Floats = npt.NDArray[np.float32]
_Index = npt.NDArray[np.int64]


class Content:
    """Writes and reads tags in the buffers of one cache, on both tiers."""

    def __init__(self, device: DeviceMemory, host_pools: Mapping[Component, Any]) -> None:
        self._device = device
        self._buffers = {
            component: _KeysAndValues(memory, host_pools.get(component))
            for component, memory in device.components.items()
        }

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Fill FULL ``slots``, and the SWA slots that are their peers now."""
        if not slots:
            return
        index, values = np.array(slots), np.array(tags, np.float32)
        self._buffers[Component.FULL].fill(index, values)
        peers = self._device.peers()
        if peers is not None:
            own = peers[index]
            live = own > 0
            self._buffers[Component.SWA].fill(own[live], values[live])

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """The tag of each slot, -1 where layers, heads, or keys and values disagree about it."""
        if not slots:
            return []
        buffers, index = self._buffers[pool.component], np.array(slots)
        claims = buffers.host_claims(index) if pool.on_host else buffers.device_claims(index)
        tags = claims[:, 0]
        agreed = (
            (claims == tags[:, None]).all(axis=1)
            & (tags >= 0)
            & (tags < TAG_LIMIT)
            & (tags == np.floor(tags))
        )
        return [int(tag) for tag in np.where(agreed, tags, -1)]


class _KeysAndValues:
    """The buffers of one component that has keys and values.

    Its *claims* are, per slot, the tags that each of the numbers in the slot stands for.
    """

    def __init__(self, memory: ComponentMemory, host_pool: Any) -> None:
        pool, layers = memory.pool, memory.layers
        self._device: list[tuple[_Floats, _Floats, float]] = [
            (keys.numpy(), values.numpy(), layer / 4)
            for keys, values, layer in zip(pool.k_buffer, pool.v_buffer, layers, strict=True)
        ]
        self._host: _Floats | None = None if host_pool is None else host_pool.kv_buffer.numpy()
        self._offsets = np.array(layers, np.float32).reshape(-1, 1, 1) / 4

    def fill(self, index: _Index, tags: _Floats) -> None:
        column = tags[:, None, None]
        for keys, values, offset in self._device:
            keys[index] = column + offset
            values[index] = -column - offset

    def device_claims(self, index: _Index) -> _Floats:
        parts = [
            part
            for keys, values, offset in self._device
            for part in (keys[index] - offset, -values[index] - offset)
        ]
        return np.concatenate([part.reshape(len(index), -1) for part in parts], axis=1)

    def host_claims(self, index: _Index) -> _Floats:
        buffer = self._host  # [keys or values, page, layer, offset, head, dim]
        assert buffer is not None, "there is no host tier"
        page, offset = np.divmod(index, buffer.shape[3])
        numbers = buffer[:, page, :, offset]  # [slot, keys or values, layer, head, dim]
        keys, values = numbers[:, 0] - self._offsets, -numbers[:, 1] - self._offsets
        return np.concatenate([part.reshape(len(index), -1) for part in (keys, values)], axis=1)

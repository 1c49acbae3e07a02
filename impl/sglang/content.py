"""What slots hold: one tag per slot, spread over all layers, heads, keys and values, so that any wrong copy shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from radixproof.impl.sglang.pools import FULL_LAYERS, SWA_LAYERS, Parts
from radixproof.model.config import Component, Pool

TAG_LIMIT = 2**22
"""Tags are below it: a tag and a quarter per layer then fit exactly into float32."""

_LAYERS = {Component.FULL: FULL_LAYERS, Component.SWA: SWA_LAYERS}
_Floats = npt.NDArray[np.float32]


class Content:
    """Writes and reads tags in the buffers of one cache, on both tiers. Keys hold tag + layer / 4, values the negative of that."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._device = {
            component: _buffers(pool, _LAYERS[component])
            for component, pool in parts.device_pools.items()
        }
        self._host: dict[Component, _Floats] = {
            component: pool.kv_buffer.numpy() for component, pool in parts.host_pools.items()
        }

    def write(self, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Fill FULL ``slots``, and the SWA slots that the full→SWA map has for them now."""
        if not slots:
            return
        index, values = np.array(slots), np.array(tags, np.float32)
        self._fill(Component.FULL, index, values)
        if Component.SWA in self._device:
            peers = self._parts.allocator.full_to_swa_index_mapping.numpy()[index]
            live = peers > 0
            self._fill(Component.SWA, peers[live], values[live])

    def read(self, pool: Pool, slots: Sequence[int]) -> list[int]:
        """The tag of each slot, -1 where layers, heads, or keys and values disagree about it."""
        if not slots:
            return []
        index = np.array(slots)
        claims = (
            self._host_claims(pool.component, index)
            if pool.on_host
            else self._device_claims(pool.component, index)
        )
        tags = claims[:, 0]
        agreed = (
            (claims == tags[:, None]).all(axis=1)
            & (tags >= 0)
            & (tags < TAG_LIMIT)
            & (tags == np.floor(tags))
        )
        return [int(tag) for tag in np.where(agreed, tags, -1)]

    def _fill(self, component: Component, index: npt.NDArray[Any], tags: _Floats) -> None:
        column = tags[:, None, None]
        for keys, values, offset in self._device[component]:
            keys[index] = column + offset
            values[index] = -column - offset

    def _device_claims(self, component: Component, index: npt.NDArray[Any]) -> _Floats:
        """Per slot, the tag that each of its numbers speaks for."""
        parts = [
            part
            for keys, values, offset in self._device[component]
            for part in (keys[index] - offset, -values[index] - offset)
        ]
        return np.concatenate([part.reshape(len(index), -1) for part in parts], axis=1)

    def _host_claims(self, component: Component, index: npt.NDArray[Any]) -> _Floats:
        buffer = self._host[component]  # [keys or values, page, layer, offset, head, dim]
        page, offset = np.divmod(index, buffer.shape[3])
        numbers = buffer[:, page, :, offset]  # [slot, keys or values, layer, head, dim]
        layers = np.array(_LAYERS[component], np.float32).reshape(-1, 1, 1) / 4
        return np.concatenate(
            [
                (sign * numbers[:, side] - layers).reshape(len(index), -1)
                for side, sign in ((0, 1), (1, -1))
            ],
            axis=1,
        )


def _buffers(pool: Any, layers: Sequence[int]) -> list[tuple[_Floats, _Floats, float]]:
    """Per layer of a device pool: keys, values, and what the layer adds to a tag."""
    return [
        (keys.numpy(), values.numpy(), layer / 4)
        for keys, values, layer in zip(pool.k_buffer, pool.v_buffer, layers, strict=True)
    ]

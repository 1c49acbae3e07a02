"""What slots hold: one tag per slot, spread over all its numbers, so that any wrong copy shows.

With layer ``l``, keys hold tag + l / 4, values the negative of that, in every head and dimension.
So do the two parts of a state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from radixproof.impl.sglang.memory.device import ComponentMemory, DeviceMemory
from radixproof.impl.sglang.memory.states import StateMemory
from radixproof.model.config import Component, Pool

TAG_LIMIT = 2**22
"""Tags are below it: a tag and a quarter per layer then fit exactly into float32."""

_Floats = npt.NDArray[np.float32]
_Index = npt.NDArray[np.int64]


class Content:
    """Writes and reads tags in the buffers of one cache, on both tiers."""

    def __init__(self, device: DeviceMemory, host_pools: Mapping[Component, Any]) -> None:
        self._device = device
        tokens: dict[Component, _KeysAndValues] = {
            component: _KeysAndValues(memory, host_pools.get(component))
            for component, memory in device.components.items()
            if component is not Component.MAMBA
        }
        self._buffers: dict[Component, _Buffers] = {**tokens}
        if device.states is not None:
            self._states = _States(device.states, host_pools.get(Component.MAMBA))
            self._buffers[Component.MAMBA] = self._states

    def writes(self, slots: Sequence[int], tags: Sequence[int]) -> list[Callable[[], None]]:
        """What fills FULL ``slots``, and the SWA slots that are their peers now, when called."""
        if not slots:
            return []
        index, values = np.array(slots), np.array(tags, np.float32)
        writes: list[Callable[[], None]] = [
            partial(self._buffers[Component.FULL].fill, index, values)
        ]
        peers = self._device.peers()
        if peers is not None:
            own = peers[index]
            live = own > 0
            writes.append(partial(self._buffers[Component.SWA].fill, own[live], values[live]))
        return writes

    def write_host(self, component: Component, slots: Sequence[int], tags: Sequence[int]) -> None:
        """Fill slots of a component on the host."""
        if slots:
            buffers = self._buffers[component]
            buffers.fill_host(np.array(slots), np.array(tags, np.float32))

    def write_state(self, slot: int, tag: int) -> None:
        """Fill the state in a slot."""
        self._states.fill(np.array([slot]), np.array([tag], np.float32))

    def copy_state(self, source: int, slot: int) -> None:
        """Fill the state in a slot with what another one holds."""
        for _, buffer in self._states.device:
            buffer[:, slot] = buffer[:, source]

    def load_state(self, source: int, slot: int) -> None:
        """Fill the state in a slot with what a slot of the host holds."""
        for (_, buffer), (_, host) in zip(self._states.device, self._states.host, strict=True):
            buffer[:, slot] = host[source, :, 0]

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


class _Buffers(Protocol):
    """The buffers of one component, on both tiers.

    Its *claims* are, per slot, the tags that each of the numbers in the slot stands for.
    """

    def fill(self, index: _Index, tags: _Floats) -> None: ...

    def fill_host(self, index: _Index, tags: _Floats) -> None: ...

    def device_claims(self, index: _Index) -> _Floats: ...

    def host_claims(self, index: _Index) -> _Floats: ...


class _KeysAndValues:
    """The buffers of one component that has keys and values."""

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

    def fill_host(self, index: _Index, tags: _Floats) -> None:
        buffer = self._host  # as in `host_claims`
        assert buffer is not None, "there is no host tier"
        page, offset = np.divmod(index, buffer.shape[3])
        numbers = tags[:, None, None, None] + self._offsets
        buffer[0, page, :, offset] = numbers
        buffer[1, page, :, offset] = -numbers

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


class _States:
    """The buffers of MAMBA: of each layer what the convolutions hold, and the state proper."""

    def __init__(self, memory: StateMemory, host_pool: Any) -> None:
        state = memory.pool.mamba_cache
        self._offsets = np.array(memory.layers, np.float32) / 4
        self.device = _signed(state.conv, state.temporal)
        """Buffers ``[layer, slot, ...]``, with the sign that tags have there."""
        self.host: list[tuple[int, _Floats]] = []
        """The same on the host, ``[slot, layer, 1, ...]``."""
        if host_pool is not None:
            self.host = _signed(host_pool.conv_buffer, host_pool.temporal_buffer)

    def fill(self, index: _Index, tags: _Floats) -> None:
        for sign, buffer in self.device:
            numbers = sign * (self._offsets[:, None] + tags)  # [layer, slot]
            buffer[:, index] = numbers.reshape(*numbers.shape, *(1,) * (buffer.ndim - 2))

    def fill_host(self, index: _Index, tags: _Floats) -> None:
        for sign, buffer in self.host:
            numbers = sign * (tags[:, None] + self._offsets)  # [slot, layer]
            buffer[index] = numbers.reshape(*numbers.shape, *(1,) * (buffer.ndim - 2))

    def device_claims(self, index: _Index) -> _Floats:
        return self._claims(
            [(sign, buffer[:, index].swapaxes(0, 1)) for sign, buffer in self.device]
        )

    def host_claims(self, index: _Index) -> _Floats:
        return self._claims([(sign, buffer[index]) for sign, buffer in self.host])

    def _claims(self, parts: Sequence[tuple[int, _Floats]]) -> _Floats:
        """What the numbers of both parts, ``[slot, layer, ...]``, stand for."""
        claims = []
        for sign, numbers in parts:
            slots, layers = numbers.shape[:2]
            tags = sign * numbers.reshape(slots, layers, -1) - self._offsets[:, None]
            claims.append(tags.reshape(slots, -1))
        return np.concatenate(claims, axis=1)


def _signed(convolutions: Sequence[Any], state: Any) -> list[tuple[int, _Floats]]:
    return [*((1, one.numpy()) for one in convolutions), (-1, state.numpy())]

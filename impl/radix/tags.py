"""Tags: recognisable content for slots, so that a test can tell whose KV it is looking at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from radixproof.impl.radix.pools import KVPool, Slots

Floats = npt.NDArray[np.float32]


class Tags:
    """Writes and reads one integer below 2**22 per slot of a float32 pool.

    Tag t fills the keys of layer l with t + l/4 and the values with its negative, over all heads: exact in float32, and different
    in every layer. A slot never written does not read as a tag.
    """

    def __init__(self, pool: KVPool) -> None:
        self._pool = pool
        layers = pool.kv.shape[1]
        shift = np.arange(layers, dtype=np.float32) / np.float32(4)
        self._sign: Floats = np.array([1, -1], dtype=np.float32).reshape(2, 1, 1, 1, 1)
        self._shift: Floats = shift.reshape(1, layers, 1, 1, 1)
        # A view of the pool's own memory: on the CPU, small accesses through numpy cost a fraction of those through torch.
        self._view: Floats | None = pool.kv.numpy() if pool.device.type == "cpu" else None

    def write(self, slots: Slots, tags: Floats) -> None:
        """Fill ``slots`` with ``tags``, both of shape [tokens]."""
        kv = self._sign * (tags.reshape(1, 1, -1, 1, 1) + self._shift)
        if self._view is not None:
            self._view[:, :, slots] = kv
        else:
            self._pool.scatter(slots, torch.from_numpy(kv).expand(-1, -1, -1, *self._pool.kv.shape[3:]).contiguous())

    def read(self, slots: Slots) -> list[int]:
        """The tags of ``slots``; -1 where layers, heads, or keys and values disagree."""
        kv = self._view.take(slots, axis=2) if self._view is not None else self._pool.gather(slots).cpu().numpy()
        everywhere = kv * self._sign - self._shift
        tags = everywhere[0, 0, :, 0, 0].astype(np.int64)
        agree = everywhere == tags.reshape(1, 1, -1, 1, 1)
        found: list[int] = (tags if agree.all() else np.where(agree.all(axis=(0, 1, 3, 4)), tags, -1)).tolist()
        return found

"""Tags: recognisable content for slots, so that a test can tell whose KV it is looking at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from radixproof.impl.radix.pools import KVPool, Slots

Floats = npt.NDArray[np.float32]


class Tags:
    """Writes and reads one integer below 2**22 per slot of a float32 pool.

    Tag t fills the keys of layer l with t + l/4 and the values with its negative, over all heads:
    exact in float32, and different in every layer. A slot never written does not read as a tag.
    """

    def __init__(self, pool: KVPool) -> None:
        self._pool = pool
        _, layers, _, heads, dim = pool.kv.shape
        shift = np.arange(layers, dtype=np.float32) / np.float32(4)
        self._sign: Floats = np.array([1, -1], dtype=np.float32).reshape(2, 1, 1, 1, 1)
        self._shift: Floats = np.tile(shift.reshape(layers, 1, 1, 1), (1, 1, heads, dim))
        # A view of the pool's own memory: on the CPU, small accesses through numpy cost a fraction
        # of those through torch.
        self._view: Floats | None = pool.kv.numpy() if pool.device.type == "cpu" else None

    def write(self, slots: Slots, tags: Floats) -> None:
        """Fill ``slots`` with ``tags``, both of shape [tokens]."""
        if self._view is not None:
            self._view[:, :, slots] = self._filled(tags)
        else:
            self._pool.scatter(slots, torch.from_numpy(self._filled(tags)))

    def read(self, slots: Slots) -> list[int]:
        """The tags of ``slots``; -1 where layers, heads, or keys and values disagree."""
        kv = (
            self._view.take(slots, axis=2)
            if self._view is not None
            else self._pool.gather(slots).cpu().numpy()
        )
        tags = kv[0, 0, :, 0, 0].astype(np.int64)
        filled = self._filled(tags.astype(np.float32))
        if (
            kv.tobytes() == filled.tobytes()
        ):  # so it is nearly always, and to compare bytes is cheap
            whole: list[int] = tags.tolist()
            return whole
        found: list[int] = np.where((kv == filled).all(axis=(0, 1, 3, 4)), tags, -1).tolist()
        return found

    def _filled(self, tags: Floats) -> Floats:
        """What slots hold that ``tags`` were written to: shape [2, layers, tokens, heads, dim]."""
        filled: Floats = self._sign * (tags[:, None, None] + self._shift)
        return filled

"""A short history of copies on a GPU, for a sanitizer to watch: ``sanitized.py [--careless]``.

torch's CUDA sanitizer takes a whole pool for one tensor. So each copy is waited for before the
next forward pass computes; ``--careless`` leaves out what orders a backup after that.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

from radixproof.impl.radix.cuda import cuda_engine
from radixproof.impl.radix.engine import StreamEngine, Transfer
from radixproof.impl.radix.pools import Geometry, KVPool
from radixproof.impl.radix_adapter.tags import Tags

ROUNDS = 4
SLOTS = np.arange(4, 68, dtype=np.int64)


def main() -> None:
    cuda = torch.device("cuda", torch.cuda.current_device())
    geometry = Geometry(layers=2, heads=2, dim=16)
    device = KVPool(64, 4, geometry, cuda)
    host = KVPool(64, 4, geometry, torch.device("cpu"), pinned=True)
    backup, load = cuda_engine(cuda), cuda_engine(cuda)
    if "--careless" in sys.argv[1:]:
        streams = backup._streams
        streams.compute = streams.new_stream  # type: ignore[method-assign]
    for round_ in range(1, ROUNDS + 1):
        Tags(device).write(SLOTS, np.full(len(SLOTS), round_, dtype=np.float32))
        _copied(backup, Transfer(device, SLOTS, host, SLOTS))
        Tags(device).write(SLOTS, np.zeros(len(SLOTS), dtype=np.float32))
        _copied(load, Transfer(host, SLOTS, device, SLOTS))
        assert Tags(device).read(SLOTS) == [round_] * len(SLOTS)


def _copied(engine: StreamEngine[torch.cuda.Stream], transfer: Transfer) -> None:
    engine.submit([transfer])
    engine.join()
    engine.wait()


if __name__ == "__main__":
    main()

"""Moves drawn slots between two pools with the kernel, and with an indexed copy: prints whether the
targets are the same afterwards. Arguments: whether each pool has its layers together (0 or 1).
"""

from __future__ import annotations

import sys
from random import Random

import numpy as np
import torch

from radixproof.impl.radix.direct import direct
from radixproof.impl.radix.engine import ImmediateEngine, Transfer
from radixproof.impl.radix.pools import Geometry, KVPool

CPU = torch.device("cpu")
SHAPES = (
    Geometry(layers=1, heads=1, dim=1),
    Geometry(layers=3, heads=2, dim=5),
    Geometry(layers=2, heads=4, dim=8, dtype=torch.float16),
    Geometry(layers=1, heads=5, dim=300, dtype=torch.bfloat16),  # longer than a block
)


def pool(geometry: Geometry, page_first: bool, pages: int, start: int) -> KVPool:
    """A pool in which no two elements that a test looks at are alike, as far as their type can."""
    shape = Geometry(geometry.layers, geometry.heads, geometry.dim, geometry.dtype, page_first)
    made = KVPool(pages, 2, shape, CPU)
    numbers = torch.arange(start, start + made.kv.numel()).reshape(made.kv.shape) % 2039
    made.kv.copy_(numbers)
    return made


def moved(geometry: Geometry, layouts: tuple[bool, bool], random: Random) -> bool:
    """Whether both ways have done the same."""
    ways = []
    read, written = random.sample(range(2, 12), 6), random.sample(range(2, 18), 6)
    for directly in (False, True):
        source, target = pool(geometry, layouts[0], 5, 1), pool(geometry, layouts[1], 8, 7)
        transfer = Transfer(source, np.array(read), target, np.array(written))
        if directly:
            direct(CPU, transfer)()
        else:
            ImmediateEngine().submit([transfer])
        ways.append(target.kv)
    return torch.equal(*ways)


if __name__ == "__main__":
    first, second = (argument == "1" for argument in sys.argv[1:])
    drawn = Random(1)
    for one in SHAPES:
        print("same" if moved(one, (first, second), drawn) else "different")

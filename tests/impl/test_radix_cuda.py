"""The radix cache on a CUDA device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radixproof.impl.radix.cuda import CudaEngine
from radixproof.impl.radix.engine import Transfer
from radixproof.impl.radix.pools import Geometry, KVPool
from radixproof.impl.radix.system import target
from radixproof.impl.radix.tags import Tags
from radixproof.impl.system import Unavailable
from radixproof.model.config import Component, Config, Pool
from radixproof.model.operations import Key

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device and a CUDA build of torch")


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no CUDA device")
def test_cuda_target_says_why_it_cannot_run() -> None:
    with pytest.raises(Unavailable, match="CUDA"):
        target("cuda").build(Config())


@pytest.mark.gpu
@needs_cuda
def test_backup_and_demotion_on_cuda() -> None:
    system = target("cuda").build(Config(page_size=2, window=3, device_pages=8, swa_pages=8, host_pages=8, swa_host_pages=8))
    key = Key(tuple(range(8)))
    slots = system.allocate(8)
    assert slots is not None
    system.write(slots, range(100, 108))
    assert system.insert(key, slots, 0, 0) == 0
    assert system.read(Pool.FULL, slots) == list(range(100, 108))
    assert system.run_copies(1) == 1
    assert system.writing_check(blocking=True) == 2
    assert system.evict(8, 0) == (8, 8)
    found = [
        tag for node in system.observe(whole=True).nodes for tag in system.read(Pool.FULL_HOST, node.slots[Pool.FULL_HOST] or ())
    ]
    assert found == list(range(100, 108))
    assert system.match(key)[:2] == (0, 8)
    assert system.evict_host(8, Component.FULL) == 8


@pytest.mark.gpu
@needs_cuda
def test_cuda_copies_wait_for_the_work_before_them_and_arrive_in_order() -> None:
    device = torch.device("cuda")
    geometry = Geometry(layers=8, heads=8, dim=64)
    source, target_pool = KVPool(512, 4, geometry, device), KVPool(512, 4, geometry, torch.device("cpu"), pinned=True)
    engine, tags = CudaEngine(device), Tags(target_pool)
    indices = np.arange(4, 4 + 512, dtype=np.int64)
    for round_ in range(1, 4):
        torch.cuda._sleep(20_000_000)
        Tags(source).write(indices, np.full(512, round_, dtype=np.float32))
        engine.submit([Transfer(source, indices, target_pool, indices + 512 * (round_ - 1))])
    completed = engine.poll() + engine.wait()
    assert completed == 3
    for round_ in range(1, 4):
        assert tags.read(indices + 512 * (round_ - 1)) == [round_] * 512
    assert (engine.poll(), engine.wait()) == (0, 0)

"""The radix cache on a CUDA device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radixproof.impl.radix.cuda import cuda_engine
from radixproof.impl.radix.engine import Transfer
from radixproof.impl.radix.pools import Geometry, KVPool
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.radix_adapter.tags import Tags
from radixproof.impl.radix_adapter.target import target
from radixproof.impl.system import System, Unavailable
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device and a CUDA build of torch"
)
SLOTS = np.arange(4, 4 + 512, dtype=np.int64)


def content(system: System, pool: Pool) -> list[int]:
    """Tags of all that nodes have in a pool, from the root on."""
    return [
        tag
        for node in system.observe(whole=True).nodes
        for tag in system.read(pool, node.slots[pool] or ())
    ]


def pools() -> tuple[KVPool, KVPool]:
    """A large pool on the device and one on the host."""
    geometry = Geometry(layers=8, heads=8, dim=64)
    cuda = torch.device("cuda", torch.cuda.current_device())
    return KVPool(512, 4, geometry, cuda), KVPool(
        512, 4, geometry, torch.device("cpu"), pinned=True
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where there is no CUDA device")
def test_cuda_target_says_why_it_cannot_run() -> None:
    with pytest.raises(Unavailable, match="CUDA"):
        target("cuda").build(Config())


@pytest.mark.gpu
@needs_cuda
def test_backup_demotion_and_load_back_on_cuda() -> None:
    config = Config(
        page_size=2,
        window=3,
        device_pages=8,
        swa_pages=8,
        mamba_states=4,
        host_pages=8,
        swa_host_pages=8,
        mamba_host_states=4,
    )
    system = RadixSystem(config, "cuda")
    key = Key(tuple(range(8)))
    slots, state = system.allocate(8), system.allocate_state()
    assert slots is not None
    assert state is not None
    system.write(slots, range(100, 108))
    system.write_state(state, 107)
    assert system.insert(key, slots, 0, 0, state)[:2] == (0, True)
    assert system.run_copies(1) == 1
    assert system.writing_check(blocking=True) == 2
    assert system.evict(8, 0, 0) == (8, 8, 1)
    assert (
        content(system, Pool.FULL_HOST) == content(system, Pool.SWA_HOST) == list(range(100, 108))
    )
    stale = system.allocate(8) or []
    system.write(stale, [9] * 8)
    system.free(stale)
    found = system.match(key)
    assert found[:2] == (0, 8)
    assert system.load_back(found.best_anchor, None) == 8
    assert (system.run_copies(1, load=True), system.loading_check(blocking=False)) == (1, 1)
    assert system.read(Pool.FULL, system.match(key).slots) == list(range(100, 108))
    assert content(system, Pool.SWA) == list(range(104, 108))
    assert content(system, Pool.MAMBA) == content(system, Pool.MAMBA_HOST) == [107]


@pytest.mark.gpu
@needs_cuda
def test_cuda_copies_wait_for_the_work_before_them_and_arrive_in_order() -> None:
    source, host = pools()
    engine = cuda_engine(source.device)
    copies = []
    for round_ in range(1, 4):
        torch.cuda._sleep(20_000_000)  # type: ignore[no-untyped-call]
        Tags(source).write(SLOTS, np.full(512, round_, dtype=np.float32))
        copies.append(engine.submit([Transfer(source, SLOTS, host, SLOTS + 512 * (round_ - 1))]))
    engine.poll()
    done = [copy.done for copy in copies]
    assert done == sorted(done, reverse=True)
    engine.wait()
    assert all(copy.done for copy in copies)
    for round_ in range(1, 4):
        assert Tags(host).read(SLOTS + 512 * (round_ - 1)) == [round_] * 512


@pytest.mark.gpu
@needs_cuda
def test_work_that_joins_sees_what_was_loaded_and_nothing_is_overwritten_while_in_use() -> None:
    memory, host = pools()
    engine, index = cuda_engine(memory.device), torch.from_numpy(SLOTS).to(memory.device)
    Tags(memory).write(SLOTS, np.full(512, 1, dtype=np.float32))
    Tags(host).write(SLOTS, np.full(512, 2, dtype=np.float32))
    torch.cuda._sleep(20_000_000)  # type: ignore[no-untyped-call]
    before = memory.kv.index_select(2, index)
    copy = engine.submit([Transfer(host, SLOTS, memory, SLOTS)])
    engine.join()
    after = memory.kv.index_select(2, index)
    assert set(before[0, 0, :, 0, 0].tolist()) == {1}
    assert set(after[0, 0, :, 0, 0].tolist()) == {2}
    engine.wait()
    assert (copy.done, copy.failed) == (True, False)

"""States: a request that goes on from a cached prefix needs a copy of its MAMBA state, to write on."""

from __future__ import annotations

from radixproof.impl.radix.eviction import Evictor
from radixproof.impl.radix.locks import Locks
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import Slots
from radixproof.model.config import Pool


def copy_state(node: Node, memory: Memory, locks: Locks, evictor: Evictor) -> int | None:
    """A device slot of the caller's own with a copy of the state of ``node``, which is on the device (semantics 3.6).

    Evicts another state if there is no slot; None if that does not help. Raises ValueError if the node has no state.
    """
    states, source = memory.device.mamba, node.mamba.device
    if states is None or source is None:
        raise ValueError(f"{node} has no state on the device")
    target = states.alloc(1)
    if target is None:
        receipt = locks.lock(node)
        evictor.evict(0, 0, 1)
        locks.unlock(receipt)
        target = states.alloc(1)
    if target is None:
        return None
    pool = memory.pools[Pool.MAMBA]
    arriving = _arriving(node, memory)
    state = (
        pool.gather(source) if arriving is None else memory.pools[Pool.MAMBA_HOST].gather(arriving)
    )
    pool.scatter(target, state)
    return int(target[0])


def _arriving(node: Node, memory: Memory) -> Slots | None:
    """The host slot of a state that a load-back in flight is bringing, so that the device slot may not hold it yet."""
    pool = memory.pools[Pool.MAMBA]
    for load in node.loads:
        if load.receipt.anchor is node and any(
            transfer.target is pool for transfer in load.copy.transfers
        ):
            return node.mamba.host
    return None

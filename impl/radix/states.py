"""States: a request that goes on from a cached prefix writes on a copy of its MAMBA state."""

from __future__ import annotations

from radixproof.impl.radix.config import Component
from radixproof.impl.radix.device_eviction import DeviceEvictor
from radixproof.impl.radix.locks import Locks
from radixproof.impl.radix.memory import Memory
from radixproof.impl.radix.node import Node
from radixproof.impl.radix.pools import KVPool, Slots


def copy_state(node: Node, memory: Memory, locks: Locks, evictor: DeviceEvictor) -> int | None:
    """A device slot of the caller's own with a copy of the state of ``node`` (semantics 3.6).

    Evicts another state if there is no slot; None if that does not help. Raises ValueError if the
    node has no state on the device.
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
    pool = memory.device_pools[Component.MAMBA]
    arriving = _arriving(node, source, pool)
    if arriving is None:
        state = pool.gather(source)
    else:
        state = memory.host_pools[Component.MAMBA].gather(arriving)
    pool.scatter(target, state)
    return int(target[0])


def _arriving(node: Node, state: Slots, pool: KVPool) -> Slots | None:
    """The host slot from which a load-back in flight is bringing ``state``, a slot of ``pool``.

    The slot on the device may not hold the state yet.
    """
    for load in node.loads:
        for transfer in load.copy.transfers:
            if transfer.target is pool and state[0] in transfer.target_slots:
                return node.mamba.host
    return None

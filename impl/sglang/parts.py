"""Build one cache of SGLang: memory, tree and controller, all new, of the sizes asked for."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.cores.core import Core
from radixproof.impl.sglang.cores.python import PythonCore
from radixproof.impl.sglang.cores.rust import RustCore
from radixproof.impl.sglang.events import Events, asked_for, can_hear
from radixproof.impl.sglang.memory import host
from radixproof.impl.sglang.memory.device import DeviceMemory
from radixproof.impl.sglang.memory.full import FullMemory
from radixproof.impl.sglang.memory.rows import plain_rows
from radixproof.impl.sglang.memory.states import lazily
from radixproof.impl.sglang.memory.swa import SwaMemory
from radixproof.impl.sglang.names import CHOICE, PYTHON, RUST
from radixproof.impl.sglang.refusals import Refusals
from radixproof.impl.system import Unavailable
from radixproof.model.config import DEVICE, HOST, Config, Pool


@dataclass(frozen=True, slots=True)
class Parts:
    """The live objects of one cache."""

    tree: Any
    core: Core
    device: DeviceMemory
    host: host.HostMemory
    refusals: Refusals
    events: Events | None
    """What it announces; None if its release announces nothing."""
    has_exit_hook: bool

    def available(self, pool: Pool) -> int:
        """Slots of a pool that can be allocated."""
        owner = (
            self.host.pools[pool.component]
            if pool.on_host
            else self.device.components[pool.component].allocator
        )
        return int(owner.available_size())

    def clear(self) -> None:
        """Flush everything, as the scheduler does."""
        self.refusals.forget()
        self.tree.reset()
        self.device.allocator.clear()
        if self.device.states is not None:
            self.device.states.allocator.clear()
        self.host.reserve_surplus()

    def close(self) -> None:
        """Undo the tree's registration with the process, which would keep it alive."""
        if self.has_exit_hook:
            atexit.unregister(self.tree.shutdown)


def build(sglang: Sglang, config: Config, core: str = PYTHON) -> Parts:
    """A fresh, empty cache. Raises `Unavailable` if SGLang gives it another core."""
    device: DeviceMemory = (
        FullMemory(sglang, config) if config.window is None else SwaMemory(sglang, config)
    )
    refusals = Refusals()
    refusals.guard({DEVICE[one]: part.allocator for one, part in device.components.items()})
    kinds = tuple(sglang.tree.ComponentType(int(component)) for component in config.components)
    params = sglang.init_params(
        disable=False,
        req_to_token_pool=(
            plain_rows(sglang, config) if device.states is None else device.states.rows
        ),
        token_to_kv_pool_allocator=device.allocator,
        page_size=config.page_size,
        is_eagle=config.bigram,
        eviction_policy=config.eviction_policy.value,
        sliding_window_size=config.window,
        tree_components=kinds,
        enable_mamba_extra_buffer=config.mamba_states > 0 and config.page_size > 1,
        **lazily(config),
        **asked_for(sglang.capabilities),
    )
    sglang.track_every(config.track_every * config.page_size)
    with chosen(core):
        tree = sglang.tree.UnifiedRadixCache(params)
    host_memory = host.attach(sglang, config, tree, params)
    refusals.guard({HOST[one]: pool for one, pool in host_memory.pools.items()})
    return Parts(
        tree=tree,
        core=core_of(tree, sglang, core),
        device=device,
        host=host_memory,
        refusals=refusals,
        events=(
            Events(tree, sglang.capabilities, config.page_size)
            if can_hear(sglang.capabilities, core)
            else None
        ),
        has_exit_hook=sglang.capabilities.exit_hook,
    )


@contextmanager
def chosen(core: str) -> Iterator[None]:
    """Within the block SGLang builds its caches with this core, if it has it."""
    with mock.patch.dict(os.environ, {CHOICE: core}):
        yield


def core_of(tree: Any, sglang: Sglang, name: str) -> Core:
    """The core that was asked for: SGLang itself falls back to Python without a word."""
    got = RUST if "Rust" in type(getattr(tree, "tree_core", None)).__name__ else PYTHON
    if got != name:
        raise Unavailable(
            f"SGLang {sglang.version} was asked for its {name} core, and built the {got} one"
        )
    return RustCore(tree) if got == RUST else PythonCore(tree, sglang.capabilities)

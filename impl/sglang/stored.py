"""The storage below the host of one cache: what it has under each name, and how SGLang reads it.

Under each name it has the page, or the state, that was put there first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.impl.sglang.memory.content import Content
from radixproof.impl.sglang.memory.host import NAMES
from radixproof.model.config import HOST, Component, Config, Pool

_COMPONENTS = {name: component for component, name in NAMES.items()}


class Stored:
    """What storage has."""

    def __init__(self, content: Content, config: Config) -> None:
        self._content, self._config = content, config
        self._pages: dict[tuple[Pool, str], Sequence[int]] = {}
        """By name: the content of a page, or a state."""

    def read(
        self,
        pool: Pool,
        slots: Sequence[int],
        names: Sequence[str],
        wanted: Sequence[Sequence[int]],
    ) -> None:
        """Fill a page of slots, or a state, for each name. What is ``wanted`` is what is put under
        a name that has nothing yet.
        """
        size = self._config.unit(pool)
        for number, (name, page) in enumerate(zip(names, wanted, strict=True)):
            into = slots[number * size : (number + 1) * size]
            stored = self._pages.setdefault((pool, name), page)
            self._content.write_host(pool.component, into, stored)


class Backend:
    """What SGLang's controller takes for a storage: it has the interface without copies."""

    def __init__(self, sglang: Sglang, stored: Stored, config: Config) -> None:
        self._kinds, self._stored, self._config = sglang.storage, stored, config
        self.content: Mapping[str, Sequence[int]] = {}
        """By name: the tags of the pages that are asked for next."""
        self.has = 0
        """So many pages of what is asked for next."""
        self.coming = 0
        """So many pages of FULL come of them; the rest does not."""

    def batch_exists(self, keys: Sequence[str], *_: Any) -> int:
        return min(self.has, len(keys))

    def batch_exists_v2(self, keys: Sequence[str], *_: Any) -> Any:
        return self._kinds.PoolTransferResult(self.batch_exists(keys), {})

    def batch_get_v1(self, keys: Sequence[str], host_indices: Any, *_: Any) -> list[bool]:
        """FULL of these pages."""
        names = list(keys)[: self.coming]
        self._read(Component.FULL, names, host_indices)
        return [at < len(names) for at in range(len(keys))]

    def batch_get_v2(self, transfers: Sequence[Any], *_: Any, **__: Any) -> dict[str, list[bool]]:
        """Windows and states."""
        for one in transfers:
            self._read(_COMPONENTS[one.name.value], one.keys, one.host_indices)
        return {one.name: [True] * len(one.keys) for one in transfers}

    def register_mem_pool_host(self, *_: Any) -> None:
        """Nothing is asked of pools."""

    register_mem_host_pool_v2 = on_host_pools_registered = close = register_mem_pool_host

    def _read(self, component: Component, names: Sequence[str], slots: Any) -> None:
        pool = HOST[component]
        size = self._config.unit(pool)
        wanted = [self.content[name][-size:] for name in names]
        self._stored.read(pool, slots.tolist(), names, wanted)

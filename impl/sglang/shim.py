"""Import one release of SGLang into this process and make it run on a CPU.

SGLang's packages import dozens of modules for models, kernels and servers. While a release from the store is imported, `stand_ins`
take the place of those, and the ``__init__`` of SGLang's own outer packages is passed over. An SGLang that is properly installed is
imported as it is.

Whichever it is, its streams, events and index copies are then replaced by those of `copies`, and the allocation of host memory,
which would be pinned for a GPU, by a plain one.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any
from unittest import mock

from radixproof.impl.sglang import copies, stand_ins
from radixproof.impl.sglang.store import Release
from radixproof.impl.system import Unavailable

_REQUIRED = ("msgspec", "packaging", "psutil", "torch")
_HOLLOW = (
    "sglang",
    "sglang.srt",
    "sglang.srt.configs",
    "sglang.srt.layers",
    "sglang.srt.layers.quantization",
)
"""Packages of SGLang whose ``__init__`` is not run."""
_MEM_CACHE = "sglang.srt.mem_cache"
_IMPORTED_LATE = (
    "hybrid_cache.hybrid_pool_assembler",
    "deepseek_v4_memory_pool",
    "multi_ended_allocator",
)
"""Modules that SGLang imports inside functions, as far as a release has them; they must be there before the stand-ins go."""
_HOST_POOLS = (f"{_MEM_CACHE}.memory_pool_host", f"{_MEM_CACHE}.pool_host.")
"""Beginnings of the names of the modules of host pools: since 0.5.14 they move, release by release, from the one to the other."""
_STREAM_USERS = (
    "sglang.srt.managers.cache_controller",
    f"{_MEM_CACHE}.hybrid_cache.hybrid_cache_controller",
    f"{_MEM_CACHE}.l2_transfer",
)
"""Modules that submit copies and ask for their end; the last one came with 0.5.18."""


@dataclass(frozen=True, slots=True)
class Sglang:
    """The modules and classes of an imported release that the adapter builds with."""

    version: str
    torch: Any
    tree: Any
    """Module of ``UnifiedRadixCache`` and ``ComponentType``."""
    params: Any
    """Module of the parameter objects of the tree's operations."""
    pools: Any
    """Module of the device pools."""
    allocators: Any
    swa_pool: Callable[..., Any]
    """The device pool of FULL and SWA together."""
    swa_allocator: type[Any]
    radix_key: type[Any]
    init_params: type[Any]
    server_args: Any
    """One instance for all caches of the process; what differs between them is read while one is built, and `told` then."""
    memory: Callable[[], Any] | None
    """What since 0.5.17 holds such arguments for the whole process; releases read them there more and more."""

    @contextmanager
    def told(self, **arguments: Any) -> Iterator[None]:
        """Within the block these are arguments of the server."""
        with suppress(
            AttributeError
        ):  # frozen since 0.5.19, when nothing reads these there any more
            for name, value in arguments.items():
                setattr(self.server_args, name, value)
        with self.memory().override(**arguments) if self.memory else nullcontext():
            yield


_imported: Sglang | None = None


def load(release: Release) -> Sglang:
    """Import a release, or return it if this process has it.

    Raises `Unavailable` if the process has another SGLang already, if a package is missing, or if the import fails.
    """
    global _imported  # noqa: PLW0603 - a process can import one SGLang only, so this is a fact about the process
    if _imported is not None:
        if _imported.version != release.version:
            raise Unavailable(
                f"this process runs SGLang {_imported.version} and cannot run {release.version} as well: use another process for it"
            )
        return _imported
    missing = [name for name in _REQUIRED if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"SGLang needs {' and '.join(missing)}, not installed here: pip install 'radixproof[sglang]'"
        )
    if "sglang" in sys.modules and release.folder is not None:
        raise Unavailable(
            f"another SGLang is imported in this process, which therefore cannot run {release.version}"
        )
    _imported = _import(release)
    return _imported


def _import(release: Release) -> Sglang:
    _silence()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _without_gpu():
                if release.folder is None:
                    found = _collect(release.version)
                else:
                    with stand_ins.present():
                        for name in _HOLLOW:
                            stand_ins.add_hollow(name, release.folder)
                        found = _collect(release.version)
    except Exception as error:
        for name in [name for name in sys.modules if name.partition(".")[0] == "sglang"]:
            del sys.modules[name]
        raise Unavailable(
            f"SGLang {release.version} cannot be imported here: {type(error).__name__}: {error}"
        ) from error
    _replace()
    return found


def _silence() -> None:
    """SGLang logs to its users; whatever it has to say about our caches is in what it returns or raises."""
    logger = logging.getLogger("sglang")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)


def _collect(version: str) -> Sglang:
    def module(name: str) -> Any:
        return importlib.import_module(f"{_MEM_CACHE}.{name}")

    tree = module("unified_radix_cache")
    for name in _IMPORTED_LATE:
        if importlib.util.find_spec(f"{_MEM_CACHE}.{name}"):
            module(name)
    swa = module("swa_memory_pool")
    swa_allocators = swa if hasattr(swa, "SWATokenToKVPoolAllocator") else module("allocator.swa")
    server = importlib.import_module("sglang.srt.server_args")
    arguments = server.ServerArgs(
        model_path="dummy",
        device="cpu",
        hicache_io_backend="direct",
        hicache_mem_layout="page_first_direct",
        hicache_write_policy="write_through",
        hicache_size=0,
        hicache_storage_backend=None,
    )
    server.set_global_server_args_for_scheduler(
        arguments
    )  # now, while there are stand-ins for what this imports
    return Sglang(
        version=version,
        torch=importlib.import_module("torch"),
        tree=tree,
        params=module("base_prefix_cache"),
        pools=module("memory_pool"),
        allocators=module("allocator"),
        swa_pool=_without_transposition(swa.SWAKVPool),
        swa_allocator=swa_allocators.SWATokenToKVPoolAllocator,
        radix_key=module("radix_cache").RadixKey,
        init_params=module("cache_init_params").CacheInitParams,
        server_args=arguments,
        memory=getattr(sys.modules.get("sglang.srt.runtime_context"), "get_memory", None),
    )


def _without_transposition(pool: Callable[..., Any]) -> Callable[..., Any]:
    """Releases before 0.5.15.post1 insist on being told not to transpose; later ones pass unknown options on to other classes."""
    option = "enable_kvcache_transpose"
    return partial(pool, **{option: False}) if option in signature(pool).parameters else pool


def _replace() -> None:
    """Make the imported release run on a CPU, with copies that run when told."""
    for name in _STREAM_USERS:
        if name in sys.modules:
            sys.modules[name].device_module = copies.DEVICE_MODULE  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        if name.startswith(_HOST_POOLS):
            vars(module).update(_ON_CPU)
    host: Any = sys.modules[f"{_MEM_CACHE}.memory_pool_host"]
    host.ALLOC_MEMORY_FUNCS["cpu"] = _allocate  # one table, whichever modules name it


_PLENTY = types.SimpleNamespace(virtual_memory=lambda: types.SimpleNamespace(available=2**62))
"""Stands in for psutil where SGLang asks whether its host pools fit and leave 10 GB of RAM free: ours take kilobytes."""
_ON_CPU = {
    "psutil": _PLENTY,
    "transfer_kv_direct": copies.copy_slots,
    "transfer_kv_per_layer_direct_pf_lf": copies.load_layer,
    "transfer_kv_all_layer_direct_lf_pf": copies.backup_all_layers,
}
"""Globals of every module of host pools. On a CPU, SGLang does not import the copies at all."""


def _allocate(dims: Sequence[int], dtype: Any, *_: Any, **__: Any) -> Any:
    """Host memory as plain zeros: nothing is pinned, and slots never written hold the same content every time."""
    return sys.modules["torch"].zeros(dims, dtype=dtype)


@contextmanager
def _without_gpu() -> Iterator[None]:
    """SGLang chooses its hardware while it is imported; within the block that is the CPU, whatever the machine has."""
    torch = importlib.import_module("torch")
    with mock.patch.object(torch.cuda, "is_available", return_value=False):
        yield

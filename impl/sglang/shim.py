"""Import one release of SGLang into this process and make it run on a CPU.

SGLang's packages import dozens of modules for models, kernels and servers. While a release from the
store is imported, `stand_ins` take the place of those, and the ``__init__`` of SGLang's own outer
packages is passed over. So it is with an SGLang that is installed where there is no GPU: its
kernels want the driver of one. Where there is, it is imported as it is.

In both cases its streams, events and index copies are then replaced by those of `copies`, and the
allocation of host memory, which would be pinned for a GPU, by a plain one.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from radixproof.impl.sglang import copies, hashes, parts, stand_ins
from radixproof.impl.sglang.api import MEM_CACHE, Sglang, collect
from radixproof.impl.sglang.store import Release, told_damaged
from radixproof.impl.sglang.threads import IDLE_THREADS
from radixproof.impl.sglang.wheel_record import damage, damage_in
from radixproof.impl.system import Unavailable
from radixproof.model.config import Config

_REQUIRED = ("msgspec", "packaging", "psutil", "torch")
_HOLLOW = (
    "sglang",
    "sglang.srt",
    "sglang.srt.configs",
    "sglang.srt.layers",
    "sglang.srt.layers.quantization",
)
"""Packages of SGLang whose ``__init__`` is not run."""
_HOST_POOLS = (f"{MEM_CACHE}.memory_pool_host", f"{MEM_CACHE}.pool_host.")
"""How the names of modules with host pools begin.

From 0.5.14 on the pools move, release by release, from the first to the second.
"""
_STREAM_USERS = (
    "sglang.srt.managers.cache_controller",
    f"{MEM_CACHE}.hybrid_cache.hybrid_cache_controller",
    f"{MEM_CACHE}.l2_transfer",
)
"""Modules that submit copies and ask for their end; the last one came with 0.5.18."""

_HASHES = f"{MEM_CACHE}.cpp_utils.native_hash"
"""The module that compiles what computes the names of pages (0.5.18)."""

_RESULTS = f"{MEM_CACHE}.unified_cache.unified_tree_core_interface"
"""The module of what a step of an eviction returns. Such an object complains on stderr if an
exception has kept what it freed from being given back; here the exception itself is reported.
"""

_imported: tuple[Release, Sglang] | None = None
"""What this process has imported: a process can import one SGLang only."""


def load(release: Release) -> Sglang:
    """Import a release, or return it if this process has it.

    Raises `Unavailable` if the process has another SGLang already, if a package is missing, or if
    the import fails.
    """
    global _imported  # noqa: PLW0603 - a fact about the process
    if _imported is None:
        _check_importable(release)
        _imported = release, _import(release)
    elif _imported[0] != release:
        raise Unavailable(
            f"this process runs SGLang {_imported[0].version} and cannot run {release.version} as "
            "well: use another process for it"
        )
    return _imported[1]


def on_cpu(release: Release) -> Callable[[], None]:
    """Let tests of this process run on a release; returns what ends that.

    Its copies run on the CPU, so its pools must not go to a GPU that may be there. Raises
    `Unavailable`.
    """
    torch = load(release).torch
    without_gpu = mock.patch.object(torch.cuda, "is_available", return_value=False)
    without_gpu.start()
    return without_gpu.stop


def let_threads_run() -> None:
    """From now on caches have SGLang's own threads, which move pages to storage and back."""
    for name in _STREAM_USERS:
        if hasattr(sys.modules.get(name), "threading"):
            sys.modules[name].threading = threading  # type: ignore[attr-defined]


def _check_importable(release: Release) -> None:
    missing = [name for name in _REQUIRED if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"SGLang needs {' and '.join(missing)}, not installed here: "
            "pip install 'radixproof[sglang]'"
        )
    if "sglang" in sys.modules and release.folder is not None:
        raise Unavailable(
            "another SGLang is imported in this process, which therefore cannot run "
            f"{release.version}"
        )


def _import(release: Release) -> Sglang:
    _silence()
    try:
        folder = release.folder or _installed_without_gpu()
        with warnings.catch_warnings(), _without_gpu():
            warnings.simplefilter("ignore")
            found = collect(release.version) if folder is None else _import_from(release, folder)
    except Exception as error:
        wrong = release.fetched and damage(release.fetched, content=True)
        _forget()
        what = f"SGLang {release.version} cannot be imported here: {type(error).__name__}: {error}"
        raise Unavailable(told_damaged(release.version, wrong) if wrong else what) from error
    _check_content(release)
    _replace()
    return found


def _check_content(release: Release) -> None:
    """Whatever was changed since the release was fetched would be blamed on SGLang."""
    folder = release.fetched
    if folder is None:
        return
    files = [getattr(sys.modules[name], "__file__", None) for name in _modules()]
    own = [Path(file) for file in files if file and Path(file).is_relative_to(folder)]
    if wrong := damage_in(folder, own):
        _forget()
        raise Unavailable(told_damaged(release.version, wrong))


def _modules() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "sglang"]


def _forget() -> None:
    """What was imported of a release that cannot be used must not be in the way of another."""
    for name in _modules():
        del sys.modules[name]


def _installed_without_gpu() -> Path | None:
    """Where SGLang is installed; None if there is what it needs to be imported, or it has been."""
    if "sglang" in sys.modules or importlib.import_module("torch").cuda.is_available():
        return None
    found = importlib.util.find_spec("sglang")
    places = None if found is None else found.submodule_search_locations
    return Path(*places).parent if places and len(places) == 1 else None


def _import_from(release: Release, folder: Path) -> Sglang:
    """Import what is in a folder, with stand-ins for what it is not needed for here."""
    with stand_ins.present():
        for name in _HOLLOW:
            stand_ins.add_hollow(name, folder)
        found = collect(release.version)
        _replace()
        _import_the_rest(found)
    return found


def _import_the_rest(sglang: Sglang) -> None:
    """Much is imported only when a cache is built: for that the stand-ins are needed, too."""
    windowed = Config(page_size=2, window=2, swa_pages=8, swa_host_pages=16)
    for config in (windowed, Config(page_size=2, mamba_states=4, mamba_host_states=8)):
        parts.build(sglang, config).close()


def _silence() -> None:
    """SGLang's log is for its users; what matters here is what it returns or raises."""
    logger = logging.getLogger("sglang")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)


def _replace() -> None:
    """Make the imported release run on a CPU, with copies that run when told."""
    for name in _STREAM_USERS:
        if name in sys.modules:
            sys.modules[name].device_module = copies.DEVICE_MODULE  # type: ignore[attr-defined]
            if hasattr(sys.modules[name], "threading"):
                sys.modules[name].threading = IDLE_THREADS  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        if name.startswith(_HOST_POOLS):
            vars(module).update(_ON_CPU)
    compiled: Any = sys.modules.get(_HASHES)
    if compiled is not None:
        compiled._load_native_hash_module = lambda: hashes
    results: Any = sys.modules.get(_RESULTS)
    if results is not None and "__del__" in vars(results.BaseEvictionResult):
        del results.BaseEvictionResult.__del__
    host: Any = sys.modules[f"{MEM_CACHE}.memory_pool_host"]
    host.ALLOC_MEMORY_FUNCS["cpu"] = _allocate  # one table, whichever modules name it


_PLENTY = types.SimpleNamespace(virtual_memory=lambda: types.SimpleNamespace(available=2**62))
"""Stands in for psutil, where SGLang asks whether its host pools fit and leave 10 GB of RAM free.

Ours take kilobytes.
"""
_ON_CPU = {
    "psutil": _PLENTY,
    "transfer_kv_direct": copies.copy_slots,
    "transfer_kv_per_layer_direct_pf_lf": copies.load_layer,
    "transfer_kv_all_layer_direct_lf_pf": copies.backup_all_layers,
}
"""Globals of every module of host pools. On a CPU, SGLang does not import its copy
functions at all.
"""


def _allocate(dims: Sequence[int], dtype: Any, *_: Any, **__: Any) -> Any:
    """Host memory as plain zeros, not pinned: what was never written is always the same."""
    return sys.modules["torch"].zeros(dims, dtype=dtype)


@contextmanager
def _without_gpu() -> Iterator[None]:
    """Within the block there is only a CPU: SGLang chooses its hardware while it is imported."""
    torch = importlib.import_module("torch")
    with mock.patch.object(torch.cuda, "is_available", return_value=False):
        yield

"""What an imported release of SGLang offers: its modules and classes, and how they are called.

Releases differ in rules and in mechanics. Rules are looked up by version, in `releases`, before
anything is imported. Mechanics are detected here, once, when a release has just been imported;
everything else in this folder asks the record `Capabilities`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from inspect import signature
from typing import Any

MEM_CACHE = "sglang.srt.mem_cache"
_IMPORTED_LATE = (
    "hybrid_cache.hybrid_pool_assembler",
    "deepseek_v4_memory_pool",
    "multi_ended_allocator",
    "allocator.unified_hybrid_swa",
)
"""Modules that SGLang imports inside functions, as far as a release has them.

They must be imported before the stand-ins go.
"""

_CALLED = (
    "match_prefix",
    "insert",
    "inc_lock_ref",
    "dec_lock_ref",
    "evict",
    "evict_host",
    "init_hicache",
    "init_load_back",
    "ready_to_load_host_cache",
    "writing_check",
    "loading_check",
    "reset",
    "sanity_check",
)
"""Methods of the tree that every release that is driven has."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How the classes of a release are called, and what their objects have.

    The versions named are those in which each came; nothing depends on them.
    """

    tree_core: bool
    """The tree keeps its nodes in a part of its own and names them by number (0.5.17)."""
    token_arrays: bool
    """Keys hold their tokens in an array, not in a list (0.5.13)."""
    host_hits: bool
    """A match says per component what is on the host only (0.5.13)."""
    pending_marks: bool
    """Nodes whose backup is in flight are marked, as are the parts of a split one (0.5.13)."""
    chunked_host_slots: bool
    """Host pools keep the slots that were freed last in chunks of their own (0.5.16)."""
    exit_hook: bool
    """A tree registers its shutdown with the process (0.5.19)."""
    transposition: bool
    """Device pools insist on being told whether to transpose (before 0.5.15.post1)."""
    frozen_arguments: bool
    """The arguments of the server cannot be changed any more (0.5.19)."""
    skips_remembered: bool
    """A request remembers which nodes its lock passed over (0.5.17)."""
    release_by_receipt: bool
    """An early release wants the whole receipt, not its mark alone (0.5.20)."""
    evicted_lengths: bool
    """An insert is told per component what was evicted before (0.5.21)."""
    inserted_length: bool
    """An insert is told how much the same request has inserted before (0.5.22)."""
    queued_backups: bool
    """Backups are queued until they are flushed, and then copied as one (0.5.21)."""
    tree_locks: bool
    """Locks are objects, which know whether their window was released early (0.5.22)."""
    state_allocator: bool
    """The slots of states have an allocator beside their pool (0.5.13)."""
    events: bool
    """A cache can be asked to announce what it has (0.5.13)."""
    named_namespaces: bool
    """What it announces can be told apart by namespace (0.5.22)."""
    path_indices: bool
    """A match says how much there is; the slots of its path are asked for apart (0.5.22)."""
    windows_freed_at_will: bool
    """An unfinished insert frees what has left the window, if a flag says so (0.5.14)."""
    windows_kept_for_states: bool
    """The window of the state that is tracked stays (0.5.18)."""
    checkpoints: bool
    """What an unfinished request does is called a checkpoint (0.5.22)."""
    acknowledged_fetches: bool
    """A storage can be attached to a cache that is there, and whatever its threads have done for a
    prefetch comes back through a queue (0.5.19).
    """
    request_handles: bool
    """A prefetch is told its request by an object, not by a name (0.5.20)."""
    states_given_back: bool
    """A request whose second tracked state is taken lazily may give back its lock on the state of
    its prefix, to have room for the one that it hands over (0.5.23).
    """


@dataclass(frozen=True, slots=True)
class Sglang:
    """The modules and classes of an imported release that caches are built from."""

    version: str
    capabilities: Capabilities
    torch: Any
    tree: Any
    """Module of ``UnifiedRadixCache`` and ``ComponentType``."""
    params: Any
    """Module of the parameter objects of the tree's operations."""
    pools: Any
    """Module of the device pools."""
    allocators: Any
    states: Any
    """Module of the shapes and types of MAMBA states."""
    swa_pool: Callable[..., Any]
    """The device pool of FULL and SWA together."""
    swa_allocator: type[Any]
    requests: Any
    """Module of what the scheduler does with the memory of requests."""
    allocation: Any
    """Module of what it allocates for them."""
    storage: Any
    """Module of what is moved to and from storage."""
    storages: Any
    """Module of the kinds of storage."""
    flags: Any
    """What the environment sets, each with its default."""
    radix_key: type[Any]
    namespace_seed: Callable[[str | None, str | None], str | None]
    """What names of pages in storage begin with, by namespace and salt: nothing before 0.5.20."""
    init_params: type[Any]
    server_args: Any
    """One instance for all caches of the process."""
    process_arguments: Callable[[], Any] | None
    """The server's arguments as the whole process sees them; releases read more and more of them
    there (0.5.17).
    """
    serving_arguments: Callable[[], Any] | None
    """Those of them that are about answers."""
    running_arguments: Callable[[], Any] | None
    """Those of them that are about how a model runs."""

    @contextmanager
    def arguments(self, **arguments: Any) -> Iterator[None]:
        """Within the block these are the server's arguments, for a cache that is built there."""
        if not self.capabilities.frozen_arguments:
            for name, value in arguments.items():
                setattr(self.server_args, name, value)
        process = self.process_arguments
        with process().override(**arguments) if process else nullcontext():
            yield

    @contextmanager
    def stripping(self, answers: bool, page_size: int) -> Iterator[None]:
        """Within the block the server is one that may keep no more than the prompt of a request
        (``strip_thinking_cache``), or it is not. To 0.5.16 it says how long a page is as well.
        """
        if not self.capabilities.frozen_arguments:
            self.server_args.strip_thinking_cache = answers
            self.server_args.page_size = page_size
        serving = self.serving_arguments
        with serving().override(strip_thinking_cache=answers) if serving else nullcontext():
            yield

    @contextmanager
    def tracking(self, lazily: bool) -> Iterator[None]:
        """Within the block the server is one whose requests have a second tracked state only when
        it is needed, or it is not, on releases where its functions of requests ask for that.
        """
        running = self.running_arguments if self.capabilities.states_given_back else None
        told = {"enable_mamba_extra_buffer_lazy": lazily}
        with running().mamba.override(**told) if running else nullcontext():
            yield

    def track_every(self, tokens: int) -> None:
        """What is built from here on, and looked up, is of a model whose chunks are as long as the
        interval at which states are tracked; otherwise the model is asked (0.5.12 takes 64 tokens).
        """
        self.server_args._mamba_cache_chunk_size = tokens


def collect(version: str) -> Sglang:
    """Import what caches are built from, and detect how it is called."""
    for name in _IMPORTED_LATE:
        if _is_there(name):
            _module(name)
    tree, swa, requests = map(_module, ("unified_radix_cache", "swa_memory_pool", "common"))
    with_swa_allocator = (
        swa if hasattr(swa, "SWATokenToKVPoolAllocator") else _module("allocator.swa")
    )
    for name in _CALLED:
        if not hasattr(tree.UnifiedRadixCache, name):
            raise AttributeError(f"its UnifiedRadixCache has no {name}, which radixproof calls")
    arguments = _server_arguments()
    runtime = sys.modules.get("sglang.srt.runtime_context")
    return Sglang(
        version=version,
        capabilities=_detected(arguments),
        torch=importlib.import_module("torch"),
        tree=tree,
        params=_module("base_prefix_cache"),
        pools=_module("memory_pool"),
        allocators=_module("allocator"),
        states=importlib.import_module("sglang.srt.configs.mamba_utils"),
        swa_pool=swa.SWAKVPool,
        swa_allocator=with_swa_allocator.SWATokenToKVPoolAllocator,
        requests=requests,
        allocation=_module("allocation") if _is_there("allocation") else requests,
        storage=_module("hicache_storage"),
        storages=_module("storage"),
        flags=importlib.import_module("sglang.srt.environ").envs,
        radix_key=_module("radix_cache").RadixKey,
        namespace_seed=getattr(_module("utils"), "storage_namespace_seed", lambda *_: None),
        init_params=_module("cache_init_params").CacheInitParams,
        server_args=arguments,
        process_arguments=getattr(runtime, "get_memory", None),
        serving_arguments=getattr(runtime, "get_serving", None),
        running_arguments=getattr(runtime, "get_exec", None),
    )


def _detected(arguments: Any) -> Capabilities:
    """How an imported release is called."""
    tree, params, requests = map(_module, ("unified_radix_cache", "base_prefix_cache", "common"))
    cache, host_pool = tree.UnifiedRadixCache, _module("memory_pool_host").HostKVCache
    swa_pool, init = (
        signature(of).parameters
        for of in (
            _module("swa_memory_pool").SWAKVPool,
            _module("cache_init_params").CacheInitParams,
        )
    )
    return Capabilities(
        tree_core=hasattr(tree, "create_tree_core"),
        token_arrays=_takes_arrays(_module("radix_cache").RadixKey),
        host_hits=hasattr(params.MatchResult, "swa_host_hit_length"),
        pending_marks=_marks_nodes(tree),
        chunked_host_slots=hasattr(host_pool, "_merge_release_slots"),
        exit_hook=hasattr(cache, "shutdown"),
        transposition="enable_kvcache_transpose" in swa_pool,
        frozen_arguments=_are_frozen(arguments),
        skips_remembered=_remembers_skips(cache),
        release_by_receipt="node_id" in signature(params.DecLockRefParams).parameters,
        evicted_lengths=hasattr(params.InsertParams, "set_evicted_seqlen"),
        inserted_length=hasattr(params.InsertParams, "inserted_len"),
        queued_backups=hasattr(cache, "flush_pending_backups"),
        tree_locks=hasattr(params, "TreeLock"),
        state_allocator=_is_there("allocator.mamba"),
        events=cache.take_events is not params.BasePrefixCache.take_events,
        named_namespaces="dynamo_kv_event_format" in init,
        path_indices="device_prefix_len" in params.MatchResult._fields,
        windows_freed_at_will=hasattr(requests, "free_swa_out_of_window_slots"),
        windows_kept_for_states=hasattr(cache, "swa_retain_floor"),
        checkpoints=hasattr(requests, "checkpoint_kv_cache"),
        acknowledged_fetches=hasattr(cache, "_handle_prefetch_result"),
        request_handles=hasattr(params, "CacheRequestHandle"),
        states_given_back=_gives_states_back(),
    )


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(f"{MEM_CACHE}.{name}") is not None
    except ModuleNotFoundError:  # what it is in is no package in this release
        return False


def _module(name: str) -> Any:
    return importlib.import_module(f"{MEM_CACHE}.{name}")


def _server_arguments() -> Any:
    """The arguments that all caches have in common, published while the stand-ins are present."""
    server = importlib.import_module("sglang.srt.server_args")
    arguments = server.ServerArgs(
        model_path="dummy",
        device="cpu",
        page_size=1,
        hicache_io_backend="direct",
        hicache_mem_layout="page_first_direct",
        hicache_write_policy="write_through",
        hicache_size=0,
        hicache_storage_backend=None,
    )
    server.set_global_server_args_for_scheduler(arguments)
    return arguments


def _are_frozen(arguments: Any) -> bool:
    try:
        arguments.hicache_size = arguments.hicache_size
    except AttributeError:
        return True
    return False


def _remembers_skips(cache: type[Any]) -> bool:
    """Told by what gives a window back early: a request passes there what it remembers."""
    release = getattr(cache, "dec_swa_lock_only", None)
    if release is None:  # before there was an early release, and after: then locks are objects
        return hasattr(cache, "release_swa")
    return bool({"skip_lock_node_ids", "params"} & signature(release).parameters.keys())


def _gives_states_back() -> bool:
    """Told by what allocates a state: it is told the request, whose lock it may change."""
    name = "unified_cache.components.mamba"
    if not _is_there(name):
        return False
    allocate = getattr(_module(name).MambaComponent, "_alloc_mamba_slot", None)
    return allocate is not None and "req" in signature(allocate).parameters


def _takes_arrays(radix_key: type[Any]) -> bool:
    return str(signature(radix_key).parameters["token_ids"].annotation).startswith("array")


def _marks_nodes(tree: Any) -> bool:
    return hasattr(tree.UnifiedTreeNode((tree.ComponentType.FULL,)), "write_through_pending_id")

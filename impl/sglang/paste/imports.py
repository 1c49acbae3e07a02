"""The imports of a pasted file: those of the names that it uses."""

from __future__ import annotations

import ast
from collections.abc import Callable

_MEM_CACHE = "sglang.srt.mem_cache"
_STATES = "sglang.srt.configs.mamba_utils"
_STANDARD = {
    "array": "array",
    "Mock": "unittest.mock",
    "patch": "unittest.mock",
    "extract_tb": "traceback",
    "signature": "inspect",
    "sha256": "hashlib",
    "sys": "",
    "SimpleNamespace": "types",
}
_OTHERS = {
    "torch": "",
    "alloc_req_slots": f"{_MEM_CACHE}.allocation",
    "CacheTransferPhase": f"{_MEM_CACHE}.unified_radix_cache",
    "PoolHitPolicy": f"{_MEM_CACHE}.hicache_storage",
    "PoolName": f"{_MEM_CACHE}.hicache_storage",
    "PoolTransfer": f"{_MEM_CACHE}.hicache_storage",
    "PoolTransferResult": f"{_MEM_CACHE}.hicache_storage",
    "CacheInitParams": f"{_MEM_CACHE}.cache_init_params",
    "ComponentType": f"{_MEM_CACHE}.unified_radix_cache",
    "EvictParams": f"{_MEM_CACHE}.base_prefix_cache",
    "InitLoadBackParams": f"{_MEM_CACHE}.base_prefix_cache",
    "InsertParams": f"{_MEM_CACHE}.base_prefix_cache",
    "HybridLinearKVPool": f"{_MEM_CACHE}.memory_pool",
    "HybridReqToTokenPool": f"{_MEM_CACHE}.memory_pool",
    "Mamba2CacheParams": _STATES,
    "Mamba2StateDType": _STATES,
    "Mamba2StateShape": _STATES,
    "MatchPrefixParams": f"{_MEM_CACHE}.base_prefix_cache",
    "MHATokenToKVPool": f"{_MEM_CACHE}.memory_pool",
    "PagedTokenToKVPoolAllocator": f"{_MEM_CACHE}.allocator",
    "RadixKey": f"{_MEM_CACHE}.radix_cache",
    "SWAKVPool": f"{_MEM_CACHE}.swa_memory_pool",
    "SWATokenToKVPoolAllocator": f"{_MEM_CACHE}.allocator.swa",
    "ReqToTokenPool": f"{_MEM_CACHE}.memory_pool",
    "common": _MEM_CACHE,
    "envs": "sglang.srt.environ",
    "ServerArgs": "sglang.srt.server_args",
    "TokenToKVPoolAllocator": f"{_MEM_CACHE}.allocator",
    "TreeLock": f"{_MEM_CACHE}.base_prefix_cache",
    "UnifiedRadixCache": f"{_MEM_CACHE}.unified_radix_cache",
    "set_global_server_args_for_scheduler": "sglang.srt.server_args",
    "utils": _MEM_CACHE,
}
"""Where each name is imported from; an empty text for the names of modules."""


_MOVED = {
    "alloc_req_slots": ("0.5.16", "common"),
    "SWATokenToKVPoolAllocator": ("0.5.13", "swa_memory_pool"),
}
"""Names that were elsewhere before a release."""


def imported(source: str, since: Callable[[str], bool]) -> str:
    """The import statements that ``source`` needs, sorted as ruff sorts them.

    ``since`` says whether all releases that it runs on have what came with one.
    """
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    moved = [name for name, (release, _) in _MOVED.items() if name in used and not since(release)]
    either = [_from_either(name) for name in moved]
    used -= {*moved}
    groups = ["\n".join(_lines(places, used)) for places in (_STANDARD, _OTHERS)]
    return "\n\n".join(group for group in (*groups, *either) if group)


def _from_either(name: str) -> str:
    release, before = _MOVED[name]
    return f"""try:
    from {_OTHERS[name]} import {name}
except ImportError:  # before {release}
    from {_MEM_CACHE}.{before} import {name}"""


def _lines(places: dict[str, str], used: set[str]) -> list[str]:
    names: dict[str, list[str]] = {}
    for name in sorted(used & places.keys(), key=_order):
        names.setdefault(places[name] or name, []).append(name)
    modules = sorted(module for module in names if names[module] == [module] and not places[module])
    others = sorted(names.keys() - set(modules))
    return [f"import {module}" for module in modules] + [
        f"from {module} import {', '.join(names[module])}" for module in others
    ]


def _order(name: str) -> tuple[bool, str]:
    """Classes before functions, as ruff has it."""
    return name[0].islower(), name

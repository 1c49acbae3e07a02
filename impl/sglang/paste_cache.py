"""The functions of a pasted test, apart from the test itself: the cache of a configuration, and helpers for its operations.

Of the helpers a file gets those that it calls, without the parameters that its history does not need.
"""

from __future__ import annotations

import math
import re

from radixproof.impl.operations import History, Insert, LoadBack
from radixproof.impl.sglang.paste_layout import call
from radixproof.model.config import DEVICE, HOST, Config, EvictionPolicy, Pool


def functions(history: History, test: str) -> list[str]:
    """All functions of the file: the cache first and the test last; in between, what is called stands above what calls it."""
    config = history.config
    sources = {
        "slots_at": _SLOTS_AT,
        "node_at": _NODE_AT,
        "check": _check(config),
        "reset": _RESET if config.hosted else _RESET_HOSTLESS,
        "insert": _insert(history),
        "allocate": _ALLOCATE,
        "load_back": _load_back(history),
        "lock_host": _LOCK_HOST,
        "lock": _LOCK,
        "match": _MATCH,
        "make_key": _MAKE_KEY,
    }
    needed = [test]
    for name, source in sources.items():
        if re.search(rf"(?<!\.)\b{name}\(", "\n".join(needed)):
            if "namespace=" not in test:
                source = re.sub(
                    r", namespace(=None)?|child\.key\.extra_key == namespace and ", "", source
                )
            needed.append(source.strip())
    limits = [_LIMIT_HOST.strip()] if config.hosted else []
    return [*limits, _make_cache(history), *reversed(needed)]


# -- the cache ---------------------------------------------------------------------------------------------------------------------


def constants(config: Config) -> str:
    lines = [
        'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"',
        f"PAGE_SIZE = {config.page_size}",
    ]
    if config.hosted:
        host = ", ".join(str(config.slots(pool)) for pool in config.pools if pool.on_host)
        lines.append(f"HOST_SLOTS = ({host}{',' if config.window is None else ''})")
    return "\n".join(lines)


_OPTION = """
    # Releases before 0.5.15.post1 insist on this option, later ones do not have it.
    option = {"enable_kvcache_transpose": False} if "enable_kvcache_transpose" in signature(SWAKVPool).parameters else {}"""


def _make_cache(history: History) -> str:
    config = history.config
    kind, pools = _pools(config)
    tier = (
        " that writes back to the host"
        if config.write_back
        else " that writes through to the host"
        if config.hosted
        else ""
    )
    lines = [
        "def make_cache():",
        f'    """An empty cache, {kind},{tier or " without a host tier"}."""',
        *pools,
        *call("params = ", "CacheInitParams", _init_params(config)),
        "    tree = UnifiedRadixCache(params)",
        *(_host_tier(history) if config.hosted else []),
    ]
    return "\n".join([*lines, "    return tree"])


def _pools(config: Config) -> tuple[str, list[str]]:
    """What the cache keeps, in words, and the statements that make its pool and its allocator."""
    shape = ["page_size=PAGE_SIZE", "dtype=torch.float32", "device=DEVICE"]
    size = [f"size={config.slots(Pool.FULL)}"]
    heads = ["head_num=2", "head_dim=2"]
    if config.window is None:
        pool = call(
            "pool = ",
            "MHATokenToKVPool",
            [*size, *heads, "layer_num=1", "enable_memory_saver=False", *shape],
        )
        paged = "PagedTokenToKVPoolAllocator" if config.page_size > 1 else "TokenToKVPoolAllocator"
        allocator = call(
            "allocator = ",
            paged,
            [*size, "kvcache=pool", "need_sort=False", *shape[config.page_size == 1 :]],
        )
        return "FULL only", [*pool, *allocator]
    size.append(f"size_swa={config.slots(Pool.SWA)}")
    layers = ["full_attention_layer_ids=[1]", "swa_attention_layer_ids=[0]"]
    pool = [
        _OPTION.strip("\n"),
        *call("pool = ", "SWAKVPool", [*size, *heads, *layers, *shape, "**option"]),
    ]
    allocator = call(
        "allocator = ",
        "SWATokenToKVPoolAllocator",
        [*size, "kvcache=pool", "need_sort=False", *shape],
    )
    return f"FULL and SWA with a window of {config.window}", [*pool, *allocator]


def _init_params(config: Config) -> list[str]:
    components = ", ".join(f"ComponentType.{component.name}" for component in config.components)
    return [
        "disable=False",
        "req_to_token_pool=None",
        "token_to_kv_pool_allocator=allocator",
        "page_size=PAGE_SIZE",
        *(
            []
            if config.eviction_policy is EvictionPolicy.LRU
            else [f'eviction_policy="{config.eviction_policy.value}"']
        ),
        *([] if config.window is None else [f"sliding_window_size={config.window}"]),
        f"tree_components=({components}{',' if config.window is None else ''})",
    ]


def _host_tier(history: History) -> list[str]:
    config = history.config
    loads = _loads(history)
    lines = [
        *call("server_args = ", "ServerArgs", _server_args(config)),
        "    set_global_server_args_for_scheduler(server_args)  # where releases since 0.5.18 look for them",
        "    tree.init_hicache(server_args, params)",
    ]
    if config.threshold != 1:
        lines.append(
            f"    tree.write_through_threshold = {config.threshold}  # hits before a node is backed up"
        )
    if loads:
        lines.append(
            f"    tree.load_back_threshold = {config.load_threshold}  # FULL tokens below which nothing is loaded back"
        )
    if loads > _LOADS_AT_ONCE:
        lines.append(_MORE_LOADS.strip("\n").replace("LOADS", str(loads)))
    return [*lines, "    limit_host(tree)"]


_LOADS_AT_ONCE = 3
_MORE_LOADS = """
    counter = tree.cache_controller.layer_done_counter  # has events for three load-backs under way
    counter.events += [type(counter.events[0])(counter.num_layers) for _ in range(LOADS)]
    counter.num_counters = len(counter.events)"""


def _server_args(config: Config) -> list[str]:
    ratios = [
        config.pages(HOST[component]) / config.pages(DEVICE[component])
        for component in config.components
    ]
    return [
        'model_path="dummy"',
        "device=DEVICE",
        f'hicache_write_policy="{"write_back" if config.write_back else "write_through"}"',
        'hicache_io_backend="direct"',
        'hicache_mem_layout="page_first_direct"',
        f"hicache_ratio={max(1.0, *(math.ceil(ratio * 10) / 10 for ratio in ratios))}",
    ]


# -- helpers -----------------------------------------------------------------------------------------------------------------------

_BOTH = "(allocator.full_attn_allocator, allocator.swa_attn_allocator)"
_LIMIT_HOST = '''
def limit_host(tree):
    """Take away the slots beyond HOST_SLOTS: SGLang wants its host pools to be larger than those of the device."""
    for entry, slots in zip(tree.host_pool_group.entries, HOST_SLOTS, strict=True):
        entry.host_pool.alloc(entry.host_pool.size - slots)
'''
_MAKE_KEY = '''
def make_key(tree, tokens, namespace=None):
    """A key of the kind that the release uses: with a list of tokens before 0.5.13, with an array since."""
    in_list = isinstance(tree.root_node.key.token_ids, list)
    return RadixKey(tokens if in_list else array("q", tokens), namespace)
'''
_ALLOCATE = '''
def allocate(allocator, count):
    """FULL slots, each with a SWA slot beside it, as the scheduler gives them to a request; None if there is no room."""
    if allocator.available_size() < count:
        return None
    slots = allocator.full_attn_allocator.alloc(count)
    allocator.set_full_to_swa_mapping(slots, allocator.swa_attn_allocator.alloc(count))
    return slots
'''
_MATCH = """
def match(tree, tokens, namespace=None):
    return tree.match_prefix(MatchPrefixParams(key=make_key(tree, tokens, namespace)))
"""
_LOCK = '''
def lock(tree, tokens, namespace=None):
    """Lock the last node on the device that the prompt matches; `tree.dec_lock_ref(*receipt)` gives it back."""
    node = match(tree, tokens, namespace).last_device_node
    return node, tree.inc_lock_ref(node).to_dec_params()
'''
_LOCK_HOST = '''
def lock_host(tree, tokens, namespace=None):
    """Lock the host copies that the prompt matches; `tree.dec_host_lock_ref(*receipt)` gives them back."""
    node = match(tree, tokens, namespace).best_match_node
    return node, tree.inc_host_lock_ref(node).to_dec_params()
'''
_LOAD_BACK = '''
def load_back(tree, tokens, quota=None, namespace=None):
    """Bring back what the prompt has on the host only, as the scheduler does for a request."""
    found = match(tree, tokens, namespace)
    hits = getattr(found, "swa_host_hit_length", 0)  # since 0.5.13
    state = SimpleNamespace(mamba_pool_idx=None)  # of the request: since 0.5.17, and since 0.5.19 in its kv
    request = SimpleNamespace(
        last_node=found.last_device_node, swa_host_hit_length=hits, mamba_host_hit_length=0, mamba_pool_idx=None, kv=state
    )
    params = InitLoadBackParams(found.best_match_node, found.host_hit_length, mem_quota=quota, req=request)
    tree.init_load_back(params)
    tree.ready_to_load_host_cache()
'''
_RESET = '''
def reset(tree):
    """Flush the cache as the scheduler does, which it does not while copies are in flight."""
    if tree.ongoing_write_through or tree.ongoing_load_back:
        return
    tree.reset()
    tree.token_to_kv_pool_allocator.clear()
    limit_host(tree)
'''
_RESET_HOSTLESS = '''
def reset(tree):
    """Flush the cache as the scheduler does."""
    tree.reset()
    tree.token_to_kv_pool_allocator.clear()
'''
_NODE_AT = '''
def node_at(tree, tokens, namespace=None):
    """The node that holds the last of these tokens, None if there is none. Unlike a match, this changes nothing."""
    node, rest = tree.root_node, tokens
    while rest:
        for child in node.children.values():
            segment = list(child.key.token_ids)
            if child.key.extra_key == namespace and segment[: len(rest)] == rest[: len(segment)]:
                node, rest = child, rest[len(segment) :]
                break
        else:
            return None
    return node
'''
_SLOTS_AT = '''
def slots_at(tree, tokens, component, tier, namespace=None):
    """The slots of the last page of these tokens, None if there are none; the tier is "value" or "host_value"."""
    node = node_at(tree, tokens, namespace)
    slots = None if node is None else getattr(node.component_data[component], tier)
    if slots is None:
        return None
    end = len(tokens)
    while (node := node.parent) is not tree.root_node:
        end -= len(node.key)
    return slots[end - PAGE_SIZE : end].tolist()
'''
_CHECK = '''
def check(tree):
    """SGLang's own check, and every slot of every pool is either free or in the tree."""
    tree.sanity_check()
    allocator = tree.token_to_kv_pool_allocator
    core = getattr(tree, "tree_core", tree)  # since 0.5.17
    for component, pool in zip(tree.tree_components, ALLOCATORS, strict=True):
        evictable, protected = core.component_evictable_size_[component], core.component_protected_size_[component]
        known = pool.available_size() + evictable + protected
        assert known == pool.size, f"{component.name}: {known} of {pool.size} slots are available, evictable or protected"
'''
_CHECK_HOST = """
    for component, entry, slots in zip(tree.tree_components, tree.host_pool_group.entries, HOST_SLOTS, strict=True):
        values = [node.component_data[component].host_value for node in core._collect_all_nodes()]
        known = entry.host_pool.available_size() + sum(len(value) for value in values if value is not None)
        assert known == slots, f"{component.name} on the host: {known} of {slots} slots are available or in the tree"
"""


def _check(config: Config) -> str:
    source = _CHECK + (_CHECK_HOST.lstrip("\n") if config.hosted else "")
    return source.replace("ALLOCATORS", "(allocator,)" if config.window is None else _BOTH)


def _loads(history: History) -> int:
    return sum(isinstance(operation, LoadBack) for operation in history.operations)


def _load_back(history: History) -> str:
    limited = any(
        isinstance(operation, LoadBack) and operation.quota is not None
        for operation in history.operations
    )
    return (
        _LOAD_BACK
        if limited
        else _LOAD_BACK.replace(", quota=None", "").replace(", mem_quota=quota", "")
    )


def _insert(history: History) -> str:
    """The helper for inserts, with the parameters and precautions that this history needs."""
    config = history.config
    inserts = [operation for operation in history.operations if isinstance(operation, Insert)]
    lengths = [len(insert.key.tokens) for insert in inserts]
    evicts = any(insert.evicted for insert in inserts)
    ranks = any(insert.priority for insert in inserts)
    reuses = any(insert.reuse for insert in inserts)
    ragged = any(length % config.page_size for length in lengths)
    pages = sum(math.ceil(length / config.page_size) for length in lengths)
    tight = _loads(history) > 0 or pages > min(
        config.pages(pool) for pool in config.pools if not pool.on_host
    )
    paired = config.window is not None and config.page_size > 1
    lines = [
        f"def insert(tree, tokens{', evicted=0' * evicts}{', reuse=False' * reuses}{', priority=0' * ranks}, namespace=None):",
        f'    """Insert a prompt as a request does{", which is turned away if there is no room" * tight}."""',
        "    allocator = tree.token_to_kv_pool_allocator",
    ]
    count = "len(tokens)"
    if reuses:
        lines += [
            "    owned = torch.empty(0, dtype=torch.int64, device=DEVICE)",
            "    if reuse:",
            "        owned = match(tree, tokens, namespace).device_indices  # the tree has them already",
        ]
        count = "len(tokens) - len(owned)"
    if ragged:
        lines += [f"    count = {count}", "    count += -count % PAGE_SIZE  # whole pages"]
        count = "count"
    lines.append(f"    slots = {'allocate(allocator, ' if paired else 'allocator.alloc('}{count})")
    if tight:
        lines += ["    if slots is None:", "        return  # no room"]
    if reuses:
        lines.append("    slots = torch.cat([owned, slots])")
    if evicts and config.window is not None:
        lines.append(
            f"    allocator.free_swa(slots[{'len(owned) ' * reuses}:{' ' * reuses}evicted])  # the window has slid past them"
        )
    value = "slots[: len(tokens)]" if ragged else "slots"
    options = (
        ["prev_prefix_len=len(owned)"] * reuses
        + _boundary(config, evicts, reuses)
        + ["priority=priority"] * ranks
    )
    lines += [
        *call(
            "params = ",
            "InsertParams",
            ["key=make_key(tree, tokens, namespace)", f"value={value}", *options],
        ),
        "    tree.insert(params)",
    ]
    if ragged:
        lines.append(
            "    allocator.free(slots[len(tokens) // PAGE_SIZE * PAGE_SIZE :])  # the page that is not full"
        )
    return "\n".join(lines)


def _boundary(config: Config, evicts: bool, reuses: bool) -> list[str]:
    """Where the SWA slots begin that an insert brings: those of the tree's own prefix are not its business."""
    if config.window is None:
        return []
    if reuses and evicts:
        return ["swa_evicted_seqlen=max(len(owned), evicted)"]
    return ["swa_evicted_seqlen=evicted"] * evicts + ["swa_evicted_seqlen=len(owned)"] * reuses

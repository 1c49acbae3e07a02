"""BACKUP/swa_host-unexpected in SGLang 0.5.19.

What must hold: a window that was fetched without its beginning is freed.
What happened: of two tokens that were asked for one was fetched, since the host had no room for
    more, and one token of a window that needs two is kept with it.
In [1 | 2], the node meant is the part behind the bar.

Found by radixproof. Run it with python where SGLang and a GPU are, or on a CPU with
    python -m radixproof.impl.sglang.run 0.5.19+rust THIS_FILE
"""

import os
import sys
import time
from array import array
from inspect import signature
from tempfile import TemporaryDirectory
from traceback import extract_tb

import torch
from sglang.srt.managers.cache_controller import HiCacheController
from sglang.srt.mem_cache import base_prefix_cache
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.hicache_storage import HiCacheStorageConfig
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.swa_memory_pool import SWAKVPool
from sglang.srt.mem_cache.unified_radix_cache import ComponentType, UnifiedRadixCache
from sglang.srt.server_args import ServerArgs, set_global_server_args_for_scheduler

try:
    from sglang.srt.mem_cache.allocator.swa import SWATokenToKVPoolAllocator
except ImportError:  # before 0.5.13
    from sglang.srt.mem_cache.swa_memory_pool import SWATokenToKVPoolAllocator

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def key(*tokens):
    return RadixKey(array("q", tokens))


def only_rank(controller, model_name=None, extra_config=None):
    """What a storage is told of the server. SGLang asks groups of ranks for it."""
    controller.tp_rank = controller.dp_rank = controller.pp_rank = 0
    controller.tp_size = controller.pp_size = 1
    return HiCacheStorageConfig(
        0, 1, 0, 1, 0, 1, False, False, False, model_name, extra_config=extra_config
    )


HiCacheController._generate_storage_config = only_rank


def new_cache():
    # A cache with 8 slots of FULL and 8 of SWA (window 2), that writes through to the host, and
    # from there to files.
    # Releases before 0.5.15.post1 insist on an option that later ones do not have.
    option = dict.fromkeys({"enable_kvcache_transpose"} & {*signature(SWAKVPool).parameters}, False)
    pool = SWAKVPool(8, 8, 1, torch.float32, 2, 2, [0], [1], device=DEVICE, **option)
    allocator = SWATokenToKVPoolAllocator(8, 8, 1, torch.float32, DEVICE, pool, need_sort=False)
    components = (ComponentType.FULL, ComponentType.SWA)
    params = CacheInitParams(
        False, None, allocator, 1, sliding_window_size=2, tree_components=components
    )
    tree = UnifiedRadixCache(params)
    print(type(getattr(tree, "tree_core", tree)).__name__)
    direct = {"hicache_io_backend": "direct", "hicache_mem_layout": "page_first_direct"}
    server_args = ServerArgs(
        model_path="dummy",
        device=DEVICE,
        hicache_storage_backend="file",
        hicache_storage_backend_extra_config='{"prefetch_threshold": 1}',
        hicache_storage_prefetch_policy="wait_complete",
        **direct,
    )
    set_global_server_args_for_scheduler(server_args)
    tree.init_hicache(server_args, params)
    for entry in tree.host_pool_group.entries:
        entry.host_pool.pin_memory = DEVICE == "cuda"  # SGLang does not ask whether there is a GPU
    return tree, allocator


def test_backup_swa_host_unexpected():
    tree, allocator = new_cache()
    pools = {entry.name.value: entry.host_pool for entry in tree.host_pool_group.entries}

    def insert(*tokens):
        """As the scheduler does; then the host gets a copy, and storage gets one of that."""
        tree.insert(InsertParams(key=key(*tokens), value=allocator.alloc(len(tokens))))
        if hasattr(tree, "flush_pending_backups"):  # since 0.5.21 they are queued until then
            tree.flush_pending_backups()
        tree.writing_check(write_back=True)
        wait(lambda: not tree.ongoing_backup)

    def wait(done):
        """As the scheduler does, which sees in every round what SGLang's threads have done."""
        limit = time.monotonic() + 20
        while not done():
            if time.monotonic() > limit:
                raise TimeoutError("SGLang's threads do not come to an end")
            time.sleep(0.01)
            tree.check_hicache_events()

    # [1 2 3] is in storage, and not on either tier any more
    insert(1, 2, 3)
    tree.evict(EvictParams(num_tokens=3))
    tree.evict_host(3)

    # 1. insert [1]
    # 2. writing_check blocking
    insert(1)
    pools["kv"].alloc(pools["kv"].available_size() - 1)  # of others: there is room for one token
    room = {name: pool.available_size() for name, pool in pools.items()}
    # 3. prefetch f [1 2 3]: a request comes, and storage has the rest of its prompt
    handle = getattr(base_prefix_cache, "CacheRequestHandle", None)  # since 0.5.20
    request = handle("f", 0) if handle else "f"
    node = tree.match_prefix(MatchPrefixParams(key=key(1, 2, 3))).best_match_node
    named = getattr(node, "get_last_hash_value", None)  # a method of the tree since 0.5.17
    name = named() if named else tree.get_last_hash_value(node)
    tree.prefetch_from_storage(request, node, array("q", [2, 3]), name)
    # 4. end_prefetch f
    wait(lambda: tree.check_prefetch_progress(request))
    for _ in range(2):  # what one round queues to be freed, the next one frees
        tree.check_hicache_events()

    kept = {name: room[name] - pool.available_size() for name, pool in pools.items()}
    print(f"of [2 3] the host has got: FULL {kept['kv']}, SWA {kept['swa']}")
    found = tree.match_prefix(MatchPrefixParams(key=key(1, 2, 3)))
    counted = hasattr(found, "device_prefix_len")  # since 0.5.22
    on_device = found.device_prefix_len if counted else len(found.device_indices)
    print(f"a match of [1 2 3] ends at {on_device + found.host_hit_length}")
    assert not kept["swa"], "a part of a window is kept of which the beginning was not fetched"


if __name__ == "__main__":
    try:
        with TemporaryDirectory() as folder:
            os.environ["SGLANG_HICACHE_FILE_BACKEND_STORAGE_DIR"] = folder
            test_backup_swa_host_unexpected()
    except Exception as error:
        where = extract_tb(error.__traceback__)[-1].name
        sys.exit(f"{type(error).__name__} in {where}: {error}")
    print("as it should be")

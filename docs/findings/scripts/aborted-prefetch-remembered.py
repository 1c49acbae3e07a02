"""NOCRASH/self-check-prefetch-remembered in SGLang 0.5.20.

What must hold: when a prefetch is over and its request is gone, nothing of them is left.
What happened: what was fetched for the request is still remembered after its abort.

Found by radixproof. Run it with python where SGLang and a GPU are, or on a CPU with
    python -m radixproof.impl.sglang.run 0.5.20 THIS_FILE
"""

import os
import sys
import time
from array import array
from tempfile import TemporaryDirectory
from traceback import extract_tb

import torch
from sglang.srt.managers.cache_controller import HiCacheController
from sglang.srt.mem_cache import base_prefix_cache
from sglang.srt.mem_cache.allocator import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.hicache_storage import HiCacheStorageConfig
from sglang.srt.mem_cache.memory_pool import MHATokenToKVPool
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.unified_radix_cache import ComponentType, UnifiedRadixCache
from sglang.srt.server_args import ServerArgs, set_global_server_args_for_scheduler

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
REMEMBERED = ("prefetch_loaded_tokens_by_reqid", "prefetch_loaded_storage_start_by_reqid")


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
    # A cache with 8 slots, that writes through to the host, and from there to files.
    pool = MHATokenToKVPool(8, 1, torch.float32, 2, 2, 1, DEVICE, enable_memory_saver=False)
    allocator = TokenToKVPoolAllocator(8, torch.float32, DEVICE, pool, need_sort=False)
    components = (ComponentType.FULL,)
    params = CacheInitParams(False, None, allocator, 1, tree_components=components)
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


def test_nocrash_self_check_prefetch_remembered():
    tree, allocator = new_cache()

    def wait(done):
        """As the scheduler does, which sees in every round what SGLang's threads have done."""
        limit = time.monotonic() + 20
        while not done():
            if time.monotonic() > limit:
                raise TimeoutError("SGLang's threads do not come to an end")
            time.sleep(0.01)
            tree.check_hicache_events()

    # [1] is computed, copied to the host, from there to storage, and evicted from both tiers
    tree.insert(InsertParams(key=key(1), value=allocator.alloc(1)))
    if hasattr(tree, "flush_pending_backups"):  # since 0.5.21 they are queued until then
        tree.flush_pending_backups()
    tree.writing_check(write_back=True)
    wait(lambda: not tree.ongoing_backup)
    tree.evict(EvictParams(num_tokens=1))
    tree.evict_host(1)

    # 1. prefetch f [1]: a request comes, and storage has its prompt
    handle = getattr(base_prefix_cache, "CacheRequestHandle", None)  # since 0.5.20
    request = handle("f", 0) if handle else "f"
    root = tree.match_prefix(MatchPrefixParams(key=key(1))).best_match_node
    tree.prefetch_from_storage(request, root, array("q", [1]))
    # 2. end_prefetch f: all has come, and while it waits for its turn the request is aborted
    wait(lambda: tree.check_prefetch_progress(request))
    fetched = tree.match_prefix(MatchPrefixParams(key=key(1))).host_hit_length
    assert fetched == 1, f"{fetched} tokens were fetched"
    tree.release_aborted_request(request)

    left = {name: getattr(tree, name, {}) for name in REMEMBERED}
    for name in filter(left.get, REMEMBERED):
        print(f"{name}: {left[name]}")
    assert not any(left.values()), "an aborted request is still remembered"
    print("nothing is remembered of the request")


if __name__ == "__main__":
    try:
        with TemporaryDirectory() as folder:
            os.environ["SGLANG_HICACHE_FILE_BACKEND_STORAGE_DIR"] = folder
            test_nocrash_self_check_prefetch_remembered()
    except Exception as error:
        where = extract_tb(error.__traceback__)[-1].name
        sys.exit(f"{type(error).__name__} in {where}: {error}")
    print("as it should be")

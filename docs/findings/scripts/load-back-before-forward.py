"""CONTENT/loaded-before-computed in SGLang 0.5.18.

What must hold: bytes served for a prefix are the bytes computed for that prefix.
What happened: a prompt was loaded back into a slot to which a forward pass in flight still
    wrote, and holds what that has computed.

Found by radixproof. Run it with python where SGLang and a GPU are, or on a CPU with
    python -m radixproof.impl.sglang.run 0.5.18 THIS_FILE
"""

import sys
from array import array
from traceback import extract_tb
from unittest.mock import Mock

import torch
from sglang.srt.managers.cache_controller import device_module
from sglang.srt.mem_cache.allocator import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import (
    EvictParams,
    InitLoadBackParams,
    InsertParams,
    MatchPrefixParams,
)
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.memory_pool import MHATokenToKVPool
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.unified_radix_cache import ComponentType, UnifiedRadixCache
from sglang.srt.server_args import ServerArgs, set_global_server_args_for_scheduler

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def key(*tokens):
    return RadixKey(array("q", tokens))


def new_cache():
    # A cache with 3 slots, that writes through to the host.
    pool = MHATokenToKVPool(3, 1, torch.float32, 2, 2, 1, DEVICE, enable_memory_saver=False)
    allocator = TokenToKVPoolAllocator(3, torch.float32, DEVICE, pool, need_sort=False)
    components = (ComponentType.FULL,)
    params = CacheInitParams(False, None, allocator, 1, tree_components=components)
    tree = UnifiedRadixCache(params)
    print(type(getattr(tree, "tree_core", tree)).__name__)
    direct = {"hicache_io_backend": "direct", "hicache_mem_layout": "page_first_direct"}
    server_args = ServerArgs(model_path="dummy", device=DEVICE, hicache_ratio=2.0, **direct)
    set_global_server_args_for_scheduler(server_args)
    tree.init_hicache(server_args, params)
    tree.load_back_threshold = 1  # FULL tokens below which nothing is loaded back
    return tree, allocator, pool.k_buffer[0]


def test_content_loaded_before_computed():
    tree, allocator, content = new_cache()
    forward = device_module.Stream()
    for name in ("load_fence_stream", "write_fence_stream"):
        if hasattr(tree.cache_controller, name):  # as the scheduler does
            setattr(tree.cache_controller, name, forward)

    def compute(slots, tokens):
        content[slots, 0, 0] = torch.tensor(tokens, dtype=torch.float32, device=DEVICE)

    def launch(slots, tokens):
        """A forward pass, which takes its time."""
        if DEVICE == "cpu":  # where a stream runs when somebody waits for it
            forward.submit(lambda: compute(slots, tokens))
            return
        with torch.cuda.stream(forward):
            torch.cuda._sleep(1_000_000_000)
            compute(slots, tokens)

    def device_indices(found):
        """Slots of the part of a match that is on the device."""
        if hasattr(found, "device_indices"):  # before 0.5.22
            return found.device_indices
        return tree.path_device_indices(found.last_device_node)[: found.device_prefix_len]

    def insert(key, slots):
        """As the scheduler does for a request that ends; returns what was there already."""
        return tree.insert(InsertParams(key=key, value=slots)).prefix_len

    def poll():
        """As the scheduler does between steps."""
        if hasattr(tree, "flush_pending_backups"):  # since 0.5.21
            tree.flush_pending_backups()
        tree.writing_check()

    def load_back(key):
        """Bring back what is on the host only, as the scheduler does for a request."""
        found = tree.match_prefix(MatchPrefixParams(key=key))
        req = Mock(last_node=found.last_device_node, swa_host_hit_length=0, mamba_host_hit_length=0)
        req.mamba_pool_idx = req.kv.mamba_pool_idx = None
        params = InitLoadBackParams(found.best_match_node, found.host_hit_length, req=req)
        tree.init_load_back(params)
        tree.ready_to_load_host_cache()
        for copy in tree.cache_controller.ack_load_queue:
            copy.finish_event.synchronize()
        tree.loading_check()

    # A prompt is computed, backed up, and evicted from the device.
    slots = allocator.alloc(2)
    compute(slots, [5, 6])
    insert(key(1, 2), slots)
    poll()
    tree.writing_check(write_back=True)
    tree.evict(EvictParams(num_tokens=2))
    # Another one is computed twice: when the second request ends, its last step is in flight.
    slots = allocator.alloc(1)
    compute(slots, [8])
    insert(key(3), slots)
    again = allocator.alloc(1)
    launch(again, [8])
    assert insert(key(3), again) == 1, "[3] was there already, and its second slot is free"
    # The first prompt is loaded back, in part into the slot that was freed.
    load_back(key(1, 2))
    forward.synchronize()

    slots = device_indices(tree.match_prefix(MatchPrefixParams(key=key(1, 2))))
    held = content[slots, 0, 0].tolist()
    assert held == [5.0, 6.0], f"what came back for [1 2] is {held}, and 5 and 6 were computed"


if __name__ == "__main__":
    try:
        test_content_loaded_before_computed()
    except Exception as error:
        where = extract_tb(error.__traceback__)[-1].name
        sys.exit(f"{type(error).__name__} in {where}: {error}")
    print("as it should be")

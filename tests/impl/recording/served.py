"""A server for tests: a package called sglang whose cache has the methods that a tap looks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CACHE = '''
from types import SimpleNamespace as Some


class Node:
    def __init__(self, id):
        self.id = id


class Allocator:
    size = 64

    def available_size(self):
        return 60


class UnifiedRadixCache:
    """Finds nothing, and takes whatever it is given."""

    disable = False
    page_size = 2
    sliding_window_size = None
    cache_controller = None
    is_eagle = False
    tree_components = (Some(name="FULL"),)
    req_to_token_pool = None

    def __init__(self, params):
        self.token_to_kv_pool_allocator = Allocator()
        self.ongoing_write_through, self.ongoing_load_back = {}, {}
        self.root = Node(0)
        self.reset()

    def reset(self):
        pass

    def match_prefix(self, params):
        if params.key.token_ids[:1] == [13]:
            raise ValueError(f"no luck with {params.key.token_ids}")
        root = self.root
        return Some(
            device_indices=[], host_hit_length=0, last_device_node=root, best_match_node=root
        )

    def insert(self, params):
        return Some(prefix_len=0, last_device_node=Node(1))

    def release_aborted_request(self, rid):
        assert isinstance(rid, str)

    def inc_lock_ref(self, node):
        return Some()

    def dec_lock_ref(self, node, params):
        pass

    def evict(self, params):
        return Some(num_tokens_evicted=0, swa_num_tokens_evicted=0, mamba_num_evicted=0)

    def cache_finished_req(self, req):
        key = Some(token_ids=req.fill_ids, extra_key=None)
        self.insert(
            Some(key=key, prev_prefix_len=0, swa_evicted_seqlen=0, mamba_value=None, priority=0)
        )
        self.dec_lock_ref(self.root, Some())


def looked_up(tokens, request=None):
    """What `match_prefix` is called with."""
    req = None if request is None else Some(rid=request)
    return Some(key=Some(token_ids=tokens, extra_key=None), req=req)
'''
MODULE = "sglang.srt.mem_cache.unified_radix_cache"


def write_server(folder: Path) -> None:
    """Put that package into a folder."""
    package = folder
    for name in MODULE.split(".")[:-1]:
        package /= name
        package.mkdir()
        (package / "__init__.py").write_text("", encoding="ascii")
    (package / "unified_radix_cache.py").write_text(CACHE, encoding="ascii")


def serve(folder: Path, script: str, **environment: str) -> subprocess.Popen[str]:
    """Run a script in a process that can import the package in the folder, and that has loaded the
    entry there as Python does at its start.
    """
    start = f"import site; site.addsitedir({str(folder)!r})\n"
    return subprocess.Popen(
        [sys.executable, "-c", start + script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "", **environment},
    )

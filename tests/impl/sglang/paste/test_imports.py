"""The imports of a pasted file."""

from __future__ import annotations

from radixproof.impl.sglang.paste.imports import imported

USES = """DEVICE = torch.device


def test_it():
    SWATokenToKVPoolAllocator(RadixKey(array, Mock))
"""


def test_what_is_named_is_imported_and_nothing_else() -> None:
    assert (
        imported(USES, lambda _: True)
        == """from array import array
from unittest.mock import Mock

import torch
from sglang.srt.mem_cache.allocator.swa import SWATokenToKVPoolAllocator
from sglang.srt.mem_cache.radix_cache import RadixKey"""
    )


def test_names_of_one_module_share_a_line_classes_first() -> None:
    used = (
        "EvictParams, InsertParams, ServerArgs, set_global_server_args_for_scheduler, patch, Mock"
    )
    assert imported(used, lambda _: True).splitlines() == [
        "from unittest.mock import Mock, patch",
        "",
        "from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams",
        "from sglang.srt.server_args import ServerArgs, set_global_server_args_for_scheduler",
    ]


def test_what_has_moved_since_is_looked_for_at_both_places() -> None:
    assert (
        imported("SWATokenToKVPoolAllocator", lambda _: False)
        == """try:
    from sglang.srt.mem_cache.allocator.swa import SWATokenToKVPoolAllocator
except ImportError:  # before 0.5.13
    from sglang.srt.mem_cache.swa_memory_pool import SWATokenToKVPoolAllocator"""
    )

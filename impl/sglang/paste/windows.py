"""What a pasted test asserts of windows, in what SGLang's calls return and its pools say."""

from __future__ import annotations

from radixproof.impl.sglang.paste.statements import found
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

UNREACHED = frozenset(
    {
        "MAP/leaf-without-window",
        "MAP/window-counted-in-tokens",
        "MATCH/window-not-in-whole-pages",
    }
)
"""Of what a request inserts, too much of the window is gone, so that no match ends there."""


def reached(inserted: Key, config: Config) -> list[str]:
    """A match ends where the insert of a request did."""
    length = config.floor(len(inserted.units(config.bigram)))
    claim = f"{length} tokens were inserted, and a match finds {{tokens}}"
    return [
        f"tokens = len(device_indices({found(inserted)}))",
        f'assert tokens == {length}, f"{claim}"',
    ]


def cut(inserted: Key, config: Config) -> list[str]:
    """A lock on the end of a new leaf holds one window of it, in whole pages."""
    assert config.window is not None
    page = config.page_size
    window = -(-config.window // page) * page
    claim = f"a lock holds {{held}} tokens of SWA, and a window is {window}"
    return [
        f"tree.inc_lock_ref({found(inserted)}.last_device_node)",
        "held = tree.swa_protected_size()",
        f'assert held == {window}, f"{claim}"',
    ]


def mapped(config: Config) -> list[str]:
    """No more slots of FULL lead to slots of SWA than of these are in use."""
    slots = config.slots(Pool.SWA)
    claim = "{mapped} entries of the map lead to SWA slots, of which {used} are in use"
    return [
        f"used = {slots} - allocator.swa_attn_allocator.available_size()",
        "mapped = int((allocator.full_to_swa_index_mapping > 0).sum())",
        f'assert mapped <= used, f"{claim}"',
    ]

"""The one call that records a live cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from radixproof.impl.recording import live_radix, live_sglang
from radixproof.impl.recording.tap import Tap


def record(cache: Any, folder: str | Path) -> Tap:
    """Record a live cache from now on: ours, or SGLang's ``UnifiedRadixCache`` with either core.

    The trace is written into a new folder in ``folder``, by a process of its own: the ``folder`` of
    what is returned, which can also be closed. Raises OSError if the folder cannot be made, or the
    process not be started; TypeError for any other cache.
    """
    if hasattr(cache, "match_prefix") and hasattr(cache, "tree_components"):
        return live_sglang.tap_cache(cache, Path(folder))
    if hasattr(cache, "host_evictor") and hasattr(cache, "memory"):
        return live_radix.tap_cache(cache, Path(folder))
    raise TypeError(
        f"a {type(cache).__name__} cannot be recorded: only radixproof's RadixCache, and SGLang's "
        "UnifiedRadixCache"
    )

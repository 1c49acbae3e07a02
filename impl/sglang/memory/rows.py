"""The table of the rows of requests: which slots each of them has, by the place in its key."""

from __future__ import annotations

from typing import Any

from radixproof.impl.sglang.api import Sglang
from radixproof.model.config import Config, Pool

MOST = 32
"""Requests that can have a row at a time."""


def rows_of(config: Config) -> dict[str, Any]:
    """Arguments of all tables of rows: none is longer than the pool that its slots are from."""
    longest = config.slots(Pool.FULL) + config.page_size
    return {
        "size": MOST,
        "max_context_len": longest,
        "device": "cpu",
        "enable_memory_saver": False,
    }


def plain_rows(sglang: Sglang, config: Config) -> Any:
    """A table of a cache whose requests have no states."""
    return sglang.pools.ReqToTokenPool(**rows_of(config))

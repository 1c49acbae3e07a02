"""Traces for tests, written line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG = {"page_size": 1, "device_pages": 8, "host_pages": 16, "eviction_policy": "lru"}
HEAD = {"radixproof": "trace", "version": 1, "system": "radix", "config": CONFIG, "pools": ["full"]}


def key(number: int, *pages: int, **more: Any) -> dict[str, Any]:
    """A key of whole pages."""
    named = "".join(f"{page:016x}" for page in pages)
    return {"key": number, "length": len(pages), "pages": named, **more}


def call(kind: str, **values: Any) -> dict[str, Any]:
    return {"call": kind, **values}


def write(file: Path, *lines: dict[str, Any], head: dict[str, Any] = HEAD) -> Path:
    file.write_text("".join(json.dumps(line) + "\n" for line in (head, *lines)), encoding="ascii")
    return file


LOST = (
    key(1, 1, 2),
    call("insert", key=1, reused=0, node=1),
    call("lock", node=1, receipt=""),
    call("unlock", node=1, receipt=""),
    call("writing_check", acknowledged=1),
    call("evict", full=2, swa=0, mamba=0, freed=[2, 0, 0]),
    call("match", key=1, device=0, best=2, node=0, best_node=1),
    call("load_back", node=1, loaded=2, loaded_node=1),
)
"""What is inserted is backed up, evicted and loaded back."""

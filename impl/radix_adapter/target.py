"""The cache as a target. Importing it does not import torch; building a cache does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radixproof.impl.operations import Decode, Prefill
from radixproof.impl.scope import Scope
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.dialect import Dialect

if TYPE_CHECKING:
    from radixproof.impl.radix_adapter.adapter import RadixSystem


def target(device: str = "cpu") -> Target:
    """The cache of `radixproof.impl.radix` with its pools on ``device``: "cpu" or "cuda"."""

    def build(config: Config) -> RadixSystem:
        from radixproof.impl.radix_adapter.adapter import RadixSystem

        return RadixSystem(config, device)

    name = "radix" if device == "cpu" else f"radix-{device}"
    summary = (
        f"radixproof's own two-tier radix cache on {device}: FULL, SWA and MAMBA, "
        "write-through and write-back"
    )
    return Target(name, summary, Dialect(), build, Scope(launches=(Prefill, Decode)), vetted=True)

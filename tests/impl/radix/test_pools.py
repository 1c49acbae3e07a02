"""Pools: the bytes."""

from __future__ import annotations

from radixproof.impl.radix.pools import Geometry, KVPool

from .slots import CPU


def test_pool_has_a_padding_page_and_one_tensor_for_keys_and_values() -> None:
    pool = KVPool(3, 4, Geometry(layers=5, heads=2, dim=8), CPU)
    assert pool.keys.shape == pool.values.shape == (5, 16, 2, 8)
    assert pool.keys.untyped_storage().data_ptr() == pool.values.untyped_storage().data_ptr()

"""Pools and allocators of one cache, per component and tier, and the content of their slots."""

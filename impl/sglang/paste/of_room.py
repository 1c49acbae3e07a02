"""What a pasted test finds of room: what is free, evictable, protected, and asked for."""

from __future__ import annotations

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    LoadBack,
    Operation,
)
from radixproof.impl.sglang.memory.host import NAMES as HOST_NAMES
from radixproof.impl.sglang.names import PYTHON
from radixproof.impl.sglang.paste.shown import Assertion, Unwritable
from radixproof.impl.sglang.paste.statements import HOST_ENTRIES, found
from radixproof.model.config import Component, Config, Pool
from radixproof.model.verdict import Breach, Property

_KINDS = ("evictable", "protected")


def about_room(
    breach: Breach, last: Operation | None, config: Config, core: str | None, needed: int | None
) -> Assertion | None:
    """Whether room is made, and taken, as it should be; None where it is not about room."""
    if breach.rule == "load-refused" and isinstance(last, LoadBack) and last.kept is None:
        return Assertion(after=_loaded(last))
    if breach.rule == "more-room-than-lacking" and needed is not None:
        return _asked_for(needed)
    if breach.witness is None:
        return None
    if breach.rule == "host-target-freed" and isinstance(last, EvictHost):
        return _still_taken(breach.witness.pool)
    if breach.rule == "stopped-early" and isinstance(last, Evict) and core != PYTHON:
        return _freed(breach.witness.pool, last, config)
    return None


def _still_taken(pool: Pool) -> Assertion:
    """A host eviction frees no slot that a copy in flight is to write to."""
    sizes = f'pools["{HOST_NAMES[pool.component]}"].available_size()'
    claim = f"a slot of {pool.name} is free that a copy in flight is still to write to"
    return Assertion(
        [
            f"pools = {{entry.name.value: entry.host_pool for entry in {HOST_ENTRIES}}}",
            f"free = {sizes}",
        ],
        [f'assert {sizes} == free, "{claim}"'],
    )


def _loaded(last: LoadBack) -> list[str]:
    """A load-back leaves nothing of a prefix on the host alone."""
    claim = 'f"{rest} tokens are on the host alone, though there was room to load them back"'
    return [f"rest = {found(last.key)}.host_hit_length", f"assert rest == 0, {claim}"]


def _asked_for(needed: int) -> Assertion:
    """Of so many tokens, evictions are asked for those alone that are not free."""
    said = f"{{tokens}} tokens were to be evicted, though {{free}} of the {needed} needed are free"
    return Assertion(
        [
            "evict, asked = tree.evict, []",
            "",
            "def evict_noted(params):",
            "    asked.append((params.num_tokens, allocator.available_size()))",
            "    return evict(params)",
            "",
            "tree.evict = evict_noted",
        ],
        [
            "for tokens, free in asked:",
            f'    assert tokens + free <= {needed}, f"{said}"',
        ],
    )


def _freed(pool: Pool, last: Evict, config: Config) -> Assertion:
    """An eviction frees what it is asked for, if that much counts as evictable."""
    free, name = f"{_free(pool, config)}.available_size()", pool.name.lower()
    asked = {Component.FULL: last.full, Component.SWA: last.swa, Component.MAMBA: last.mamba}
    wanted = f"min({asked[pool.component]}, evictable)"
    claim = f'f"of {{evictable}} evictable {pool.name} slots {{freed}} were freed"'
    return Assertion(
        [f"free, evictable = {free}, tree.{name}_evictable_size()"],
        [f"freed = {free} - free", f"assert freed >= {wanted}, {claim}"],
    )


def counted(breach: Breach, config: Config, core: str | None) -> Assertion:
    """Slots that are nobody's; else what SGLang says of itself. Raises `Unwritable`."""
    if breach.violates is Property.QUIESCE:
        return Assertion(after=_unprotected(config))
    pools = {pool.name.lower(): pool for pool in config.pools}
    pool = pools.get(breach.rule.partition("-")[0])
    if breach.violates is Property.OWN and pool is not None:
        return Assertion(after=on_device(pool, config))
    if breach.violates is Property.OWN_H and pool is not None:
        if core != PYTHON:
            raise Unwritable("whose host slots are shows in the nodes of the Python core alone")
        return _on_host(pool)
    return Assertion(after=["tree.sanity_check()"])


def _unprotected(config: Config) -> list[str]:
    """When nobody holds a lock, nothing is protected."""
    sizes = [f"tree.{one.name.lower()}_protected_size()" for one in config.components]
    claim = 'f"nothing holds a lock, but {protected} tokens are protected"'
    return [f"protected = {' + '.join(sizes)}", f"assert protected == 0, {claim}"]


def on_device(pool: Pool, config: Config) -> list[str]:
    """Every slot of a device pool is free, or counted by the tree."""
    name, slots, free = pool.name.lower(), config.slots(pool), _free(pool, config)
    sizes = [f"{free}.available_size()", *(f"tree.{name}_{kind}_size()" for kind in _KINDS)]
    claim = f'f"{{known}} of {slots} {pool.name} slots are accounted for"'
    return [f"known = {' + '.join(sizes)}", f"assert known == {slots}, {claim}"]


def _free(pool: Pool, config: Config) -> str:
    """What has the free slots of a device pool."""
    if pool.component is Component.MAMBA:
        return "states"
    alone = config.window is None
    return "allocator" if alone else f"allocator.{pool.name.lower()}_attn_allocator"


def _on_host(pool: Pool) -> Assertion:
    """As many slots of a host pool are free, or some node's, as before."""
    pools = f"pools = {{entry.name.value: entry.host_pool for entry in {HOST_ENTRIES}}}"
    claim = f'f"{{before - after}} {pool.name} slots are lost"'
    after = [*_known_on_host(pool, "after"), f"assert after == before, {claim}"]
    return Assertion([pools, *_known_on_host(pool, "before")], after)


def _known_on_host(pool: Pool, name: str) -> list[str]:
    """Counts the slots of a host pool that are free, or owned by a node."""
    value = f"node.component_data[ComponentType.{pool.component.name}].host_value"
    return [
        "nodes = [tree.root_node]",
        "for node in nodes:",
        "    nodes.extend(node.children.values())",
        f"values = [{value} for node in nodes]",
        "held = sum(len(value) for value in values if value is not None)",
        f'{name} = held + pools["{HOST_NAMES[pool.component]}"].available_size()',
    ]

"""What a pasted test finds in what SGLang's own calls return, whatever its nodes are in."""

from __future__ import annotations

from radixproof.impl.sglang.memory.host import NAMES as HOST_NAMES
from radixproof.impl.sglang.paste.shown import (
    HIDDEN,
    Assertion,
    Seen,
    Tree,
    Unwritable,
    ends_in,
    length_of,
    name_of,
    paths,
    tier_of,
)
from radixproof.impl.sglang.paste.statements import HOST_ENTRIES, found
from radixproof.model.config import Component, Config
from radixproof.model.verdict import Witness


def returned(witness: Witness, config: Config, seen: Seen) -> Assertion:
    """What shows in a match of the prefix. Raises `Unwritable` if nothing does."""
    before, after = seen.found_before, seen.found_after
    if witness.held and before is not None and after is not None:
        if after.device < before.device and not witness.pool.on_host:
            return Assertion(after=matched(witness, before.device, on_host=False))
        if after.best < before.best:
            return Assertion(after=matched(witness, before.best, on_host=True))
    if witness.locks is not None and not witness.pool.on_host:
        return Assertion(after=_protected(witness, config, seen.after))
    compares = witness.kept is not None or witness.content is not None
    if witness.pool.on_host or not compares or not _is_served(witness, config, seen):
        raise Unwritable(HIDDEN)
    slots = f"device_indices({found(witness.prefix)})[-{config.page_size}:]"
    if witness.pool.component is Component.SWA:
        slots = f"allocator.full_to_swa_index_mapping[{slots}]"
    if witness.kept is not None:
        return same_slots(witness, slots, slots)
    return Assertion(after=filled(witness, config, slots), filled=witness.pool.component)


def _protected(witness: Witness, config: Config, tree: Tree) -> list[str]:
    """As much is protected as the locks that there should be cover. Raises `Unwritable` if a lock
    too many, or too few, makes no difference to that.
    """
    component, wrong, right = witness.pool.component, 0, 0
    for view, path in paths(tree):
        slots, locks = view.slots[witness.pool], view.locks
        if slots is None or locks is None:
            continue
        is_it = ends_in(witness.prefix, view, path, config)
        wrong += len(slots) if locks[component] else 0
        right += len(slots) if (witness.locks if is_it else locks[component]) else 0
    if wrong == right:
        raise Unwritable(HIDDEN)
    name = component.name
    claim = f"{{held}} slots of {name} are protected, and locks should cover {right}"
    return [
        f"held = tree.{name.lower()}_protected_size()",
        f'assert held == {right}, f"{claim}"',
    ]


def _is_served(witness: Witness, config: Config, seen: Seen) -> bool:
    """Whether matches return the slots of the prefix, after the last step and, to be compared,
    before it. Those of states they never do.
    """
    if witness.pool.component is Component.MAMBA:
        return False
    found = [seen.found_after] if witness.kept is None else [seen.found_before, seen.found_after]
    return all(one is not None and one.device == length_of(witness, config) for one in found)


def matched(witness: Witness, length: int, on_host: bool | None = None) -> list[str]:
    """So much of a prefix can be matched; in a cache with FULL alone, all that is held."""
    on_host = witness.pool.on_host if on_host is None else on_host
    tokens = "len(device_indices(found))"
    tokens += " + found.host_hit_length" if on_host else ""
    name, where = name_of(witness.prefix), "in the cache" if on_host else "on the device"
    claim = f"of {name} {{tokens}} tokens are {where}, and {length} should be"
    return [
        f"found = {found(witness.prefix)}",
        f"tokens = {tokens}",
        f'assert tokens == {length}, f"{claim}"',
    ]


def same_slots(witness: Witness, before: str, after: str) -> Assertion:
    prefix, pool = name_of(witness.prefix), witness.pool
    same, no = ("==", "no longer") if witness.kept else ("!=", "still")
    claim = f"{prefix} {no} has its {pool.component.name} slots on the {tier_of(pool)}"
    return Assertion(
        [f"before = {before}.tolist()"],
        [f"after = {after}.tolist()", f'assert after {same} before, "{claim}"'],
    )


def filled(witness: Witness, config: Config, slots: str) -> list[str]:
    pool, page = witness.pool, config.page_size
    of_state = pool.component is Component.MAMBA
    held, late = f"content[slots, 0, 0{', 0' if of_state else ''}]", list[str]()
    if pool.on_host:
        late = [
            f"pools = {{entry.name.value: entry.host_pool for entry in {HOST_ENTRIES}}}",
            "# On a GPU, a copy that was not waited for may have come by now.",
        ]
        buffer = f'pools["{HOST_NAMES[pool.component]}"]'
        held = f"{buffer}.kv_buffer[0, slots // {page}, 0, slots % {page}, 0, 0]"
        if of_state:
            held = f"{buffer}.temporal_buffer[slots, 0, 0, 0, 0, 0]"
    count = 1 if of_state else page
    wanted = [
        float(token) for token in witness.prefix.tokens[: length_of(witness, config)][-count:]
    ]
    claim = f"the slots of {name_of(witness.prefix)} do not hold what was computed for it"
    return [
        *late,
        f"slots = {slots}",
        f"held = {held}",
        f'assert held.tolist() == {wanted}, "{claim}"',
    ]

"""What a pasted test finds in the nodes of the Python core."""

from __future__ import annotations

from radixproof.impl.sglang.paste import layout
from radixproof.impl.sglang.paste.of_calls import filled, same_slots
from radixproof.impl.sglang.paste.shown import (
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
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Witness


def of_node(witness: Witness, config: Config, with_core: bool) -> list[str]:
    """What holds of the node that ends with the prefix."""
    prefix, pool, node = name_of(witness.prefix), witness.pool, _find(witness.prefix, config)
    data, tier = f"component_data[ComponentType.{pool.component.name}]", tier_of(pool)
    if witness.leaf is not None:
        core = "tree.tree_core" if with_core else 'getattr(tree, "tree_core", tree)'
        has, text = ("in", "is not") if witness.leaf else ("not in", "is")
        claim = f'"{prefix} {text} in the set of evictable {tier} leaves"'
        return [
            f"leaves = {core}.evictable_{tier}_leaves",
            f"assert {node} {has} leaves, {claim}",
        ]
    if witness.locks is not None:
        count = f"{'host_' if pool.on_host else ''}lock_ref"
        kind = f"{pool.component.name}{' host' if pool.on_host else ''} locks"
        claim = f'f"{prefix} has {{locks}} {kind} and should have {witness.locks}"'
        return [f"locks = {node}.{data}.{count}", f"assert locks == {witness.locks}, {claim}"]
    place = f"in the {pool.component.name} pool on the {tier}"
    value = f"node.{data}.{_value(pool)}"
    if witness.held:
        claim = f"{prefix} should be {place} and is not"
        return [
            f"node = {node}",
            f"held = node is not None and {value} is not None",
            f'assert held, "{claim}"',
        ]
    claim = f"{prefix} is {place} and should not be"
    return [f"node = {node}", f'assert node is None or {value} is None, "{claim}"']


def kept(witness: Witness, config: Config, seen: Seen) -> Assertion:
    """The slots of a page are those from before the last step."""
    slots = _slots(witness, config)
    before, after = (slots + _part(witness, config, tree) for tree in (seen.before, seen.after))
    return same_slots(witness, before, after)


def content(witness: Witness, config: Config, seen: Seen) -> list[str]:
    """The slots of a page hold what was written for it."""
    return filled(witness, config, _slots(witness, config) + _part(witness, config, seen.after))


def _slots(witness: Witness, config: Config) -> str:
    data = f"component_data[ComponentType.{witness.pool.component.name}]"
    return f"{_find(witness.prefix, config)}.{data}.{_value(witness.pool)}"


def _part(witness: Witness, config: Config, tree: Tree) -> str:
    """Which of the slots of its node are those of the last page of a prefix; empty for all."""
    if witness.pool.component is Component.MAMBA:
        return ""
    end = length_of(witness, config)
    for view, path in paths(tree):
        if ends_in(witness.prefix, view, path, config):
            start = len(path) - len(view.segment)
            page = (end - config.page_size - start, end - start)
            return "" if page == (0, len(view.segment)) else f"[{page[0]}:{page[1]}]"
    raise Unwritable(f"the tree had no {witness.prefix}")


def _find(prefix: Key, config: Config) -> str:
    units = prefix.units(config.bigram)
    namespace = f", {layout.quoted(prefix.namespace)}" if prefix.namespace else ""
    listed = str(list(units)) if config.bigram else f"[{layout.items(prefix.tokens)}]"
    return f"find({listed}, tree.root_node{namespace})"


def _value(pool: Pool) -> str:
    return "host_value" if pool.on_host else "value"

"""What a pasted test asserts: the witness of the breach, in SGLang's own terms.

Where the core is Python, that is looked up in its nodes; elsewhere in what SGLang's own calls
return (`returned`). Without a witness SGLang's own check of itself is asked, and where slots were
lost, its sizes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from radixproof.impl.observation import ROOT, NodeView
from radixproof.impl.operations import (
    Arrive,
    Evict,
    EvictHost,
    History,
    HostInsert,
    LoadBack,
    LoadingCheck,
    Operation,
    Reset,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.sglang.memory.host import NAMES as HOST_NAMES
from radixproof.impl.sglang.names import PYTHON
from radixproof.impl.sglang.paste import layout, windows
from radixproof.impl.sglang.paste.statements import HOST_ENTRIES, found, listed, prompt
from radixproof.impl.sglang.victims import Endless
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key, Units
from radixproof.model.verdict import Breach, Property, Witness

Tree: TypeAlias = Sequence[NodeView]

_SHORT = re.compile(r"[\w:\[\] ]{,24}")
"""Prompts that a message repeats."""

_HIDDEN = "it shows in the nodes alone, and this core does not show its nodes"


class Unwritable(Exception):
    """No stand-alone test can be written for a finding; the message says why."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """How a test shows a breach: lines before its last step, and lines after it."""

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    filled: Component | None = None
    """The component whose content is asserted."""
    within: str = ""
    """The header of the block that the last step is in."""
    announced: bool = False
    """Events are asserted."""


class Found(NamedTuple):
    """What a match of the witness's prefix finds: tokens on the device, and on either tier."""

    device: int
    best: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The tree before and after the last step, and what matches found there, if any were made."""

    before: Tree = ()
    after: Tree = ()
    found_before: Found | None = None
    found_after: Found | None = None
    inserted: Key | None = None
    """What the last step inserts, if it is an insert or that of a request."""


NOTHING_SEEN = Seen()


def assertion(
    history: History,
    breach: Breach,
    seen: Seen,
    core: str | None,
    with_core: bool,
    needed: int | None = None,
) -> Assertion:
    """The assertion for a breach at the end of a history.

    ``core`` is what the tree has its nodes in, None if it may be any, and ``with_core`` says that
    it is a part of its own. ``needed`` is what the last step made room for, if it did.
    Raises `Unwritable`.
    """
    last = history.operations[-1] if history.operations else None
    if breach.violates is Property.NOCRASH:
        return _crash(breach, history.config)
    if breach.violates is Property.RANK:
        return _agreed(history)
    if breach.violates is Property.EVENT:
        return _announced(breach, history)
    witness = breach.witness
    if of_content := _of_content(breach, history):
        return of_content
    about_room = _about_room(breach, last, history.config, core, needed)
    if about_room is not None:
        return about_room
    if shown := _of_windows(breach, history.config, seen.inserted):
        return Assertion(after=shown)
    if witness is None:
        return _counted(breach, history.config, core)
    if core != PYTHON:
        return _returned(witness, history.config, seen)
    if witness.kept is not None:
        return _kept(witness, history.config, seen)
    if witness.content is not None:
        after = _content(witness, history.config, seen)
        return Assertion(after=after, filled=witness.pool.component)
    if witness.held and _has_full_alone(history.config) and not _is_on_device(witness, seen.after):
        return Assertion(after=_matched(witness, _length(witness, history.config)))
    return Assertion(after=_of_node(witness, history.config, with_core))


def _of_content(breach: Breach, history: History) -> Assertion | None:
    """What shows wrong bytes without a look into nodes; None where such a look is needed."""
    if breach.violates is not Property.CONTENT:
        return None
    last, witness = history.operations[-1] if history.operations else None, breach.witness
    if isinstance(last, Arrive):
        return Assertion(after=_begun(last), filled=Component.MAMBA)
    if breach.rule == "fetched" and witness is not None:
        return Assertion(after=_named_apart(witness.prefix, history))
    if breach.rule.endswith("state-sums-up-more") and witness is not None:
        return Assertion(after=_given_out(witness.prefix), filled=Component.MAMBA)
    return None


def _about_room(
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


def _named_apart(prefix: Key, history: History) -> list[str]:
    """What is fetched for one namespace has not the name of what another has stored."""
    others = [one.key for one in history.operations if isinstance(one, HostInsert)]
    tokens = prefix.tokens
    for other in others:
        if other.namespace != prefix.namespace and other.tokens[: len(tokens)] == tokens:
            names = [listed(Key(tokens, one.namespace)) for one in (other, prefix)]
            claim = "pages of two namespaces have one name in storage"
            return [
                f"one, other = storage.names({names[0]}), storage.names({names[1]})",
                f'assert one != other, "{claim}"',
            ]
    raise Unwritable("nothing else was stored under these names")


def _of_windows(breach: Breach, config: Config, inserted: Key | None) -> list[str]:
    """What shows that a window was cut wrongly, or lost, without a look into nodes."""
    if breach.signature == "MAP/stale":
        return windows.mapped(config)
    if breach.signature == "MAP/window-not-told":
        return _on_device(Pool.SWA, config)
    if breach.signature == "MATCH/window-of-state-freed" and breach.witness is not None:
        return windows.reached(breach.witness.prefix, config)
    if inserted is None:
        return []
    if breach.signature == "MATCH/not-cut":
        return windows.cut(inserted, config)
    return windows.reached(inserted, config) if breach.signature in windows.UNREACHED else []


# -- what a node has -------------------------------------------------------------------------------


def _of_node(witness: Witness, config: Config, with_core: bool) -> list[str]:
    """What holds of the node that ends with the prefix."""
    prefix, pool, node = _name(witness.prefix), witness.pool, _find(witness.prefix, config)
    data, tier = f"component_data[ComponentType.{pool.component.name}]", _tier(pool)
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


def _has_full_alone(config: Config) -> bool:
    return config.components == (Component.FULL,)


def _is_on_device(witness: Witness, tree: Tree) -> bool:
    """Whether a prefix that should be on the host is on the device."""
    return witness.pool.on_host and any(
        view.slots[Pool.FULL] is not None and path == witness.prefix.tokens
        for view, path in paths(tree)
    )


def _matched(witness: Witness, length: int, on_host: bool | None = None) -> list[str]:
    """So much of a prefix can be matched; in a cache with FULL alone, all that is held."""
    on_host = witness.pool.on_host if on_host is None else on_host
    tokens = "len(device_indices(found))"
    tokens += " + found.host_hit_length" if on_host else ""
    name, where = _name(witness.prefix), "in the cache" if on_host else "on the device"
    claim = f"of {name} {{tokens}} tokens are {where}, and {length} should be"
    return [
        f"found = {found(witness.prefix)}",
        f"tokens = {tokens}",
        f'assert tokens == {length}, f"{claim}"',
    ]


def _kept(witness: Witness, config: Config, seen: Seen) -> Assertion:
    """The slots of a page are those from before the last step."""
    slots = _slots(witness, config)
    before, after = (slots + _part(witness, config, tree) for tree in (seen.before, seen.after))
    return _compared(witness, before, after)


def _compared(witness: Witness, before: str, after: str) -> Assertion:
    prefix, pool = _name(witness.prefix), witness.pool
    same, no = ("==", "no longer") if witness.kept else ("!=", "still")
    claim = f"{prefix} {no} has its {pool.component.name} slots on the {_tier(pool)}"
    return Assertion(
        [f"before = {before}.tolist()"],
        [f"after = {after}.tolist()", f'assert after {same} before, "{claim}"'],
    )


def _content(witness: Witness, config: Config, seen: Seen) -> list[str]:
    """The slots of a page hold what was written for it."""
    return _filled(witness, config, _slots(witness, config) + _part(witness, config, seen.after))


def _filled(witness: Witness, config: Config, slots: str) -> list[str]:
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
    wanted = [float(token) for token in witness.prefix.tokens[: _length(witness, config)][-count:]]
    claim = f"the slots of {_name(witness.prefix)} do not hold what was computed for it"
    return [
        *late,
        f"slots = {slots}",
        f"held = {held}",
        f'assert held.tolist() == {wanted}, "{claim}"',
    ]


def _begun(arrived: Arrive) -> list[str]:
    """The state that a request begins with is that of the prefix that it goes on from."""
    tokens = layout.items(arrived.key.tokens)
    return [
        f"reached = len(device_indices({found(arrived.key)}))",
        f"last = [{tokens}][:reached][-1:]",
        f"held = content[state_{arrived.request}].unique().tolist()",
        'claim = f"a request goes on from {reached} tokens with a state of {held}, not {last}"',
        "assert held == last, claim",
    ]


def _given_out(prefix: Key) -> list[str]:
    """A request with this prompt begins with the state of what it goes on from."""
    return [
        f"state = first_state({prompt(prefix)})",
        f"reached = len(device_indices({found(prefix)}))",
        f"last = [{layout.items(prefix.tokens)}][:reached][-1:]",
        "held = content[state].unique().tolist()",
        'claim = f"a request goes on from {reached} tokens with a state of {held}, not {last}"',
        "assert held == last, claim",
    ]


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


def _slots(witness: Witness, config: Config) -> str:
    data = f"component_data[ComponentType.{witness.pool.component.name}]"
    return f"{_find(witness.prefix, config)}.{data}.{_value(witness.pool)}"


def _part(witness: Witness, config: Config, tree: Tree) -> str:
    """Which of the slots of its node are those of the last page of a prefix; empty for all."""
    if witness.pool.component is Component.MAMBA:
        return ""
    end = _length(witness, config)
    for view, path in paths(tree):
        if _ends_in(witness.prefix, view, path, config):
            start = len(path) - len(view.segment)
            page = (end - config.page_size - start, end - start)
            return "" if page == (0, len(view.segment)) else f"[{page[0]}:{page[1]}]"
    raise Unwritable(f"the tree had no {witness.prefix}")


def _ends_in(prefix: Key, view: NodeView, path: Units, config: Config) -> bool:
    """Whether it is this node that has the last page of a prefix."""
    units = prefix.units(config.bigram)
    end, start = config.floor(len(units)), len(path) - len(view.segment)
    here = view.namespace == prefix.namespace and path[:end] == units[:end]
    return here and start < end <= len(path)


def paths(tree: Tree) -> list[tuple[NodeView, Units]]:
    """Each node of a tree with the units from the root to its end."""
    whole: dict[int, Units] = {ROOT: ()}
    for view in tree:
        whole[view.id] = (*whole.get(view.parent, ()), *view.segment)
    return [(view, whole[view.id]) for view in tree]


def _find(prefix: Key, config: Config) -> str:
    units = prefix.units(config.bigram)
    namespace = f", {layout.quoted(prefix.namespace)}" if prefix.namespace else ""
    listed = str(list(units)) if config.bigram else f"[{layout.items(prefix.tokens)}]"
    return f"find({listed}, tree.root_node{namespace})"


def _length(witness: Witness, config: Config) -> int:
    return len(witness.prefix.units(config.bigram))


def _name(prefix: Key) -> str:
    return str(prefix) if _SHORT.fullmatch(str(prefix)) else "the prefix"


def _tier(pool: Pool) -> str:
    return "host" if pool.on_host else "device"


def _value(pool: Pool) -> str:
    return "host_value" if pool.on_host else "value"


# -- what calls return ---------------------------------------------------------------------------


def _returned(witness: Witness, config: Config, seen: Seen) -> Assertion:
    """What shows in a match of the prefix. Raises `Unwritable` if nothing does."""
    before, after = seen.found_before, seen.found_after
    if witness.held and before is not None and after is not None:
        if after.device < before.device and not witness.pool.on_host:
            return Assertion(after=_matched(witness, before.device, on_host=False))
        if after.best < before.best:
            return Assertion(after=_matched(witness, before.best, on_host=True))
    if witness.locks is not None and not witness.pool.on_host:
        return Assertion(after=_protected(witness, config, seen.after))
    compared = witness.kept is not None or witness.content is not None
    if witness.pool.on_host or not compared or not _is_served(witness, config, seen):
        raise Unwritable(_HIDDEN)
    slots = f"device_indices({found(witness.prefix)})[-{config.page_size}:]"
    if witness.pool.component is Component.SWA:
        slots = f"allocator.full_to_swa_index_mapping[{slots}]"
    if witness.kept is not None:
        return _compared(witness, slots, slots)
    return Assertion(after=_filled(witness, config, slots), filled=witness.pool.component)


def _protected(witness: Witness, config: Config, tree: Tree) -> list[str]:
    """As much is protected as the locks that there should be cover. Raises `Unwritable` if a lock
    too many, or too few, makes no difference to that.
    """
    component, wrong, right = witness.pool.component, 0, 0
    for view, path in paths(tree):
        slots, locks = view.slots[witness.pool], view.locks
        if slots is None or locks is None:
            continue
        is_it = _ends_in(witness.prefix, view, path, config)
        wrong += len(slots) if locks[component] else 0
        right += len(slots) if (witness.locks if is_it else locks[component]) else 0
    if wrong == right:
        raise Unwritable(_HIDDEN)
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
    return all(one is not None and one.device == _length(witness, config) for one in found)


# -- what shows elsewhere --------------------------------------------------------------------------


def _crash(breach: Breach, config: Config) -> Assertion:
    raised, _, where = breach.rule.partition("@")
    if raised.startswith("self-check-"):
        return Assertion(
            after=[
                "try:",
                "    tree.sanity_check()",
                "except AssertionError as error:",
                '    complaint = str(error).splitlines()[1].partition(":")[0].strip()',
                '    raise AssertionError(f"SGLang finds its tree wrong: {complaint}") from error',
            ]
        )
    if raised != Endless.__name__:
        return Assertion([f"# This raises {raised} in {where}."])
    most = config.device_pages**2 + 1
    return Assertion(
        [
            "evict_leaf, victims = tree._evict_device_leaf, []",
            "",
            "def evict_counted(*args):",
            "    victims.append(args)",
            f'    assert len(victims) <= {most}, "the eviction does not end"',
            "    return evict_leaf(*args)",
            "",
            "tree._evict_device_leaf = evict_counted",
        ]
    )


def _announced(breach: Breach, history: History) -> Assertion:
    """What routers hear. Raises `Unwritable` where that has to be compared with the nodes."""
    *_, last = history.operations
    if breach.rule == "stored-absent" and history.config.write_back and isinstance(last, Evict):
        return _stored_for_nothing(history.config)
    stays = not any(isinstance(one, Evict | EvictHost | Reset) for one in history.operations)
    if breach.rule not in ("stored-twice", "removed-unknown") and not (
        breach.rule == "block-ambiguous" and stays
    ):
        raise Unwritable(
            "what routers are told is to be compared with the nodes, which no call shows"
        )
    return Assertion(
        after=[
            "stored = set()",
            "for event in tree.take_events():",
            '    blocks = getattr(event, "block_hashes", None)',
            "    if blocks is None:  # all are cleared",
            "        stored.clear()",
            "    for place in [(block, event.medium.name) for block in blocks or ()]:",
            '        if hasattr(event, "token_ids"):',
            '            assert place not in stored, f"{place} is stored, but it is there already"',
            "            stored.add(place)",
            "        else:",
            '            assert place in stored, f"{place} is removed, but it is not stored"',
            "            stored.remove(place)",
        ],
        announced=True,
    )


def _stored_for_nothing(config: Config) -> Assertion:
    """An eviction announces more on the host than it puts there."""
    pool = f'pools["{HOST_NAMES[Component.FULL]}"]'
    claim = 'f"{said} tokens are announced on the host, where {taken} have come"'
    times = f" * {config.page_size}" if config.page_size > 1 else ""
    return Assertion(
        [
            f"pools = {{entry.name.value: entry.host_pool for entry in {HOST_ENTRIES}}}",
            f"free = {pool}.available_size()",
            "tree.take_events()",
        ],
        [
            f"taken = free - {pool}.available_size()",
            "said = 0",
            "for event in tree.take_events():",
            '    if getattr(event, "medium", None) is not None and event.medium.name == "CPU":',
            f"        tokens = len(event.block_hashes){times}",
            '        said += tokens if hasattr(event, "token_ids") else -tokens',
            f"assert said <= taken, {claim}",
        ],
        announced=True,
    )


def _agreed(history: History) -> Assertion:
    """One rank has run a copy, another has not, and the first acknowledges it."""
    *others, last = history.operations
    checks = (WritingCheck, LoadingCheck)
    if not isinstance(last, checks) or last.blocking:
        raise Unwritable("what differs between ranks shows in no single one of them")
    load = isinstance(last, LoadingCheck)
    run = {one.rank for one in others if isinstance(one, RunCopies) and one.load == load}
    polled = [one for one in others if isinstance(one, checks) and not one.blocking]
    if len(run) != 1 or polled:
        raise Unwritable("ranks agree more than once on what they acknowledge")
    queue = f"tree.cache_controller.ack_{'load' if load else 'write'}_queue"
    claim = "of a copy that another rank still waits for, nothing may be acknowledged"
    return Assertion(
        [
            "# Another rank still waits for its copy: over all ranks, 0 copies have completed.",
            f"waiting = len({queue})",
            "reduce = Mock(side_effect=lambda count, **_: count.view(-1)[:1].fill_(0))",
        ],
        [f'assert len({queue}) == waiting, "{claim}"'],
        within='with patch.object(tree, "tp_world_size", 2), '
        'patch("torch.distributed.all_reduce", reduce):',
    )


def _counted(breach: Breach, config: Config, core: str | None) -> Assertion:
    """Slots that are nobody's; else what SGLang says of itself. Raises `Unwritable`."""
    if breach.violates is Property.QUIESCE:
        return Assertion(after=_unprotected(config))
    pools = {pool.name.lower(): pool for pool in config.pools}
    pool = pools.get(breach.rule.partition("-")[0])
    if breach.violates is Property.OWN and pool is not None:
        return Assertion(after=_on_device(pool, config))
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


def _on_device(pool: Pool, config: Config) -> list[str]:
    """Every slot of a device pool is free, or counted by the tree."""
    name, slots, free = pool.name.lower(), config.slots(pool), _free(pool, config)
    sizes = [f"{free}.available_size()", *(f"tree.{name}_{kind}_size()" for kind in _KINDS)]
    claim = f'f"{{known}} of {slots} {pool.name} slots are accounted for"'
    return [f"known = {' + '.join(sizes)}", f"assert known == {slots}, {claim}"]


_KINDS = ("evictable", "protected")


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

"""What a pasted test asserts: the witness of the breach, in SGLang's own terms.

Where the core is Python, that is looked up in its nodes; elsewhere in what SGLang's own calls
return (`returned`). Without a witness SGLang's own check of itself is asked, and where slots were
lost, its sizes.
"""

from __future__ import annotations

from radixproof.impl.operations import History
from radixproof.impl.sglang.names import PYTHON
from radixproof.impl.sglang.paste import windows
from radixproof.impl.sglang.paste.of_calls import matched, returned
from radixproof.impl.sglang.paste.of_content import of_content
from radixproof.impl.sglang.paste.of_nodes import content, kept, of_node
from radixproof.impl.sglang.paste.of_others import agreed, announced, crash
from radixproof.impl.sglang.paste.of_room import about_room, counted, on_device
from radixproof.impl.sglang.paste.shown import Assertion, Seen, Tree, length_of, paths
from radixproof.model.config import Component, Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property, Witness


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
        return crash(breach, history.config)
    if breach.violates is Property.RANK:
        return agreed(history)
    if breach.violates is Property.EVENT:
        return announced(breach, history)
    witness = breach.witness
    shows_alone = of_content(breach, history) or about_room(
        breach, last, history.config, core, needed
    )
    if shows_alone is not None:
        return shows_alone
    if shown := _of_windows(breach, history.config, seen.inserted):
        return Assertion(after=shown)
    if witness is None:
        return counted(breach, history.config, core)
    if core != PYTHON:
        return returned(witness, history.config, seen)
    if witness.kept is not None:
        return kept(witness, history.config, seen)
    if witness.content is not None:
        after = content(witness, history.config, seen)
        return Assertion(after=after, filled=witness.pool.component)
    if witness.held and _has_full_alone(history.config) and not _is_on_device(witness, seen.after):
        return Assertion(after=matched(witness, length_of(witness, history.config)))
    return Assertion(after=of_node(witness, history.config, with_core))


def _of_windows(breach: Breach, config: Config, inserted: Key | None) -> list[str]:
    """What shows that a window was cut wrongly, or lost, without a look into nodes."""
    if breach.signature == "MAP/stale":
        return windows.mapped(config)
    if breach.signature == "MAP/window-not-told":
        return on_device(Pool.SWA, config)
    if breach.signature == "MATCH/window-of-state-freed" and breach.witness is not None:
        return windows.reached(breach.witness.prefix, config)
    if inserted is None:
        return []
    if breach.signature == "MATCH/not-cut":
        return windows.cut(inserted, config)
    return windows.reached(inserted, config) if breach.signature in windows.UNREACHED else []


def _has_full_alone(config: Config) -> bool:
    return config.components == (Component.FULL,)


def _is_on_device(witness: Witness, tree: Tree) -> bool:
    """Whether a prefix that should be on the host is on the device."""
    return witness.pool.on_host and any(
        view.slots[Pool.FULL] is not None and path == witness.prefix.tokens
        for view, path in paths(tree)
    )

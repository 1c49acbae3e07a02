"""What a pasted test finds elsewhere: in exceptions, events, and other ranks."""

from __future__ import annotations

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    LoadingCheck,
    Reset,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.sglang.memory.host import NAMES as HOST_NAMES
from radixproof.impl.sglang.paste.shown import Assertion, Unwritable
from radixproof.impl.sglang.paste.statements import HOST_ENTRIES
from radixproof.impl.sglang.victims import Endless
from radixproof.model.config import Component, Config
from radixproof.model.verdict import Breach

_HEARD = ("stored-twice", "stored-with-supplement", "removed-unknown")
"""What is wrong with events by themselves, whatever the nodes are."""


def crash(breach: Breach, config: Config) -> Assertion:
    """What is raised fails a test by itself; SGLang's own check has to be asked, and an eviction
    without an end to be ended.
    """
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


def announced(breach: Breach, history: History) -> Assertion:
    """What routers hear. Raises `Unwritable` where that has to be compared with the nodes."""
    *_, last = history.operations
    if breach.rule == "stored-absent" and history.config.write_back and isinstance(last, Evict):
        return _stored_for_nothing(history.config)
    stays = not any(isinstance(one, Evict | EvictHost | Reset) for one in history.operations)
    if breach.rule not in _HEARD and not (breach.rule == "block-ambiguous" and stays):
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


def agreed(history: History) -> Assertion:
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

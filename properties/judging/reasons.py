"""Why an outcome is expected, in words: asked only when something else came back."""

from __future__ import annotations

from radixproof.model.config import Config, Pool
from radixproof.model.specification.loading import Loading, is_too_short, pinned
from radixproof.model.specification.trie import Page
from radixproof.properties.performing.outcomes import Inserted, Outcome


def of_match(path: list[Page], device: Page, best: Page, config: Config) -> str:
    """Why a match of the pages ``path`` ends where it does, on the device and on either tier."""
    if not path:
        return "nothing of it is cached"
    ends = [f"on the device it ends {_end(path, device, config, on_device=True)}"]
    if best.end > device.end:
        ends.append(f"with the host {_end(path, best, config, on_device=False)}")
    return ", ".join(ends)


def _end(path: list[Page], end: Page, config: Config, on_device: bool) -> str:
    """Why the page after ``end`` is of no use."""
    where = f"at token {end.end}"
    if end is path[-1]:
        return f"{where}, where what is cached of it ends"
    page = next(page for page in path if page.end > end.end)
    if on_device and not page.has(Pool.FULL):
        return f"{where}, below which it is on the host only"
    missing = ["whole window of SWA"] if config.window is not None else []
    missing += ["state of MAMBA"] if config.mamba_states else []
    tier = " on the device" if on_device else ""
    if not missing:
        return f"{where}, below which no node ends"
    return f"{where}, below which no node ends in a {' and a '.join(missing)}{tier}"


def of_insert(expected: Inserted, outcome: Outcome) -> str:
    """Why this much of a prompt was there, or was reused, and why its state was taken or not."""
    if not isinstance(outcome, Inserted) or outcome.prefix != expected.prefix:
        return f"{expected.prefix or 'none'} of its tokens were in the tree before"
    if outcome.protected != expected.protected:
        return f"the match before it ends at token {expected.protected} on the device"
    if expected.taken:
        return "the node where it ends had no state"
    return "a state is taken only if one comes, and if the node where it ends has none"


def of_load(loading: Loading, quota: int | None, config: Config) -> str:
    """Why a load-back is refused whatever room there is (semantics 9.3)."""
    full = loading.full
    if not full and not loading.others:
        return "nothing of what it matches is on the host only"
    if is_too_short(full, loading.others, config):
        return f"the {full} tokens on the host are below the threshold of {config.load_threshold}"
    pins = pinned(loading.best.path())
    return (
        f"the {full} tokens on the host, with the {pins} pinned on the device, exceed the quota "
        f"of {quota}"
    )


def of_loaded(loaded: bool, loading: Loading) -> str:
    """Why a load-back that was not refused reports this much."""
    if not loaded:
        return "nothing of it was brought to the device"
    if not loading.full:
        return "all of its FULL was on the device already"
    return "what it had on the host only was brought to the device"


def of_host_insert(start: int, length: int, kept: int) -> str:
    """Why the host keeps this much of a fetched prompt of ``length`` tokens (semantics 10.3)."""
    if kept:
        return f"the tiers had {start} of its {length} tokens, and what has no copy is kept"
    return "it would hang below what has no host copy, or would be there twice"


def of_run(load: bool, rank: int) -> str:
    """Why this many copies ran (semantics 17.1)."""
    what = "load-backs" if load else "backups"
    return f"no more {what} were asked for, or were queued on rank {rank}"


def of_check(load: bool, blocking: bool) -> str:
    """Why this many copies were acknowledged (semantics 8.4, 9.5)."""
    what = "load-backs" if load else "backups"
    if blocking:
        return f"a blocking check acknowledges all {what} in flight"
    return f"this many {what} have run on every rank, counted from the oldest in flight"


EVICTED = "that is what the nodes it took held"
"""Why an eviction reports this much (semantics 7.5)."""

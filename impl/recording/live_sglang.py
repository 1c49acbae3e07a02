"""The tap on SGLang's ``UnifiedRadixCache``, of any release and with either core.

Noted is what is called on the tree: by the scheduler, or by SGLang's functions of a request, of
which each call on the tree is noted on its own. Names are looked for, not versions: what a release
lacks is not tapped.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from radixproof.impl.recording.notes import Note
from radixproof.impl.recording.noting import TAP, Noting, noted
from radixproof.impl.recording.tap import Tap, begin

_NOT, _TAPPED = "_radixproof_cannot_tap", "_radixproof_tapped"
_POLICY = "_radixproof_policy"
_OF_REQUESTS = (
    "cache_unfinished_req",
    "cache_finished_req",
    "checkpoint",
    "advance_unpublished_req",
    "release_aborted_request",
)
"""What is called with a request, and calls the tree for it."""
_LAST = ("cache_finished_req", "on_release", "release_aborted_request")
"""What is called with a request that ends."""
_KINDS = {"kv": "full", "swa": "swa", "mamba": "mamba"}
"""What SGLang calls its host pools."""


def tap_class(tree_class: Any, folder: Path | None) -> None:
    """Record every cache of the class from its next call on, each in a folder of its own; without
    a folder those that `tap_cache` is told of. The class is changed altogether or not at all.
    """
    new: dict[str, Any] = {TAP: None, _TAPPED: True, "__init__": _remembering(tree_class.__init__)}
    for name, noting in _NOTED.items():
        if hasattr(tree_class, name):
            begun = functools.partial(_begun, noting.kind, folder)
            new[name] = noted(getattr(tree_class, name), noting, begun)
    for name in (*_OF_REQUESTS, *_LAST):
        if hasattr(tree_class, name):
            new[name] = _of_request(getattr(tree_class, name), name in _LAST)
    for name, thing in new.items():
        setattr(tree_class, name, thing)


def tap_cache(tree: Any, folder: Path) -> Tap:
    """Record this cache from its next call on."""
    if not vars(type(tree)).get(_TAPPED):
        tap_class(type(tree), None)
    tap = vars(tree)[TAP] = _begin(tree, folder)
    return tap


def tap_of(tree: Any) -> Tap | None:
    """The tap on a cache, if it has one."""
    tap: Tap | None = vars(tree).get(TAP)
    return tap


# -- the wrappers ----------------------------------------------------------------------------------


def _of_request(call: Callable[..., Any], ends: bool) -> Callable[..., Any]:
    """A method that is called for a request, which calls in the course of it are noted with: it is
    given first, or, up to 0.5.19 when it is aborted, its name.
    """

    @functools.wraps(call)
    def tapped(tree: Any, *arguments: Any, **named: Any) -> Any:
        tap = tree._radixproof_tap
        if tap is None:
            return call(tree, *arguments, **named)
        req = arguments[0] if arguments else next(iter(named.values()), None)
        rid = req if isinstance(req, str) else getattr(req, "rid", None)
        before, tap.request = tap.request, rid or None
        try:
            return call(tree, *arguments, **named)
        finally:
            tap.request = before
            if ends:
                tap.forget(rid)

    return tapped


def _begun(kind: str, folder: Path | None, tree: Any) -> Tap | None:
    """A cache that has not been tapped yet begins to be with its first call; it resets itself
    before it is complete.
    """
    if kind == "reset" or folder is None or vars(tree).get(_NOT) or tree.disable:
        return None
    try:
        tap = vars(tree)[TAP] = _begin(tree, folder)
    except Exception as error:  # a server must not fail for it
        vars(tree)[_NOT] = True
        sys.stderr.write(f"radixproof cannot record: {type(error).__name__}: {error}\n")
        return None
    return tap


def _remembering(build: Callable[..., None]) -> Callable[..., None]:
    """What a cache is built with, and forgets: the order in which it evicts."""

    @functools.wraps(build)
    def tapped(tree: Any, params: Any, *arguments: Any, **named: Any) -> None:
        vars(tree)[_POLICY] = getattr(params, "eviction_policy", "lru").lower()
        build(tree, params, *arguments, **named)

    return tapped


def _begin(tree: Any, folder: Path) -> Tap:
    return begin(folder, _system(tree), _config(tree), _free_counts(tree))


# -- what is noted ---------------------------------------------------------------------------------


def _node(node: Any) -> int | None:
    """The number of a node: since 0.5.17 that is what SGLang hands around."""
    return node if type(node) is int or node is None else int(node.id)


def _prompt(tap: Tap, key: Any, request: str | None) -> Note:
    try:
        limit, salt = key.limit, key.cache_salt
    except AttributeError:  # up to 0.5.17
        limit, salt = getattr(key, "limit", None), None
    tokens, namespace = key.token_ids, key.extra_key or ""
    length = len(tokens) if limit is None else min(limit, len(tokens))
    return tap.prompt(tokens, length, f"{namespace}\0{salt}" if salt else namespace, request)


def _looked_up(tap: Tap, params: Any) -> Note:
    request = tap.request or getattr(params.req, "rid", None) or None
    return (_prompt(tap, params.key, request),)


def _found(found: Any) -> Note:
    try:
        device = found.device_prefix_len
    except AttributeError:  # up to 0.5.21
        device = len(found.device_indices)
    best = device + found.host_hit_length
    return device, best, _node(found.last_device_node), _node(found.best_match_node)


def _handed_over(tap: Tap, params: Any) -> Note:
    try:
        lengths, inserted = params.component_evicted_seqlens, params.inserted_len
    except AttributeError:  # up to 0.5.21
        lengths, inserted = getattr(params, "component_evicted_seqlens", None), None
    evicted = params.swa_evicted_seqlen if lengths is None else 0
    if lengths:
        evicted = _behind_window(lengths)
    key = _prompt(tap, params.key, tap.request)
    state = params.mamba_value is not None
    return key, params.prev_prefix_len, evicted, state, params.priority or 0, inserted


def _behind_window(lengths: Mapping[Any, int]) -> int:
    """How much of a key its request has given back, by what each component has of it."""
    return next((length for kind, length in lengths.items() if kind.name == "SWA"), 0)


def _inserted(result: Any) -> Note:
    return result.prefix_len, _node(getattr(result, "last_device_node", None))


def _anchor(tap: Tap, node: Any, *_: Any) -> Note:
    return (_node(node),)


def _receipt(params: Any) -> str:
    """What tells apart two receipts of one node, where anything does."""
    try:
        uuids, skipped = params.component_lock_uuids, params.skipped_lock_components
    except AttributeError:  # up to 0.5.20, or None
        uuids = getattr(params, "swa_uuid_for_lock", None)
        skipped = getattr(params, "skipped_lock_components", ())
    return f"{uuids or ''}{tuple(skipped) or ''}" if uuids or skipped else ""


def _locked(result: Any) -> Note:
    return (_receipt(result),)


def _given_back(tap: Tap, node: Any, params: Any = None, *_: Any) -> Note:
    return _node(node), _receipt(params)


def _given_back_early(tap: Tap, node: Any, given: Any = None, *_: Any) -> Note:
    """Up to 0.5.19 with what tells where the window begins, in place of the receipt."""
    bare = given is None or isinstance(given, int | str)
    return _node(node), str(given or "") if bare else _receipt(given)


def _lock_given_back_early(tap: Tap, lock: Any, *_: Any) -> Note:
    return (None, "") if lock is None else (_node(lock.node), _receipt(lock.receipt))


def _wanted(tap: Tap, params: Any) -> Note:
    return params.num_tokens, params.swa_num_tokens, params.mamba_num


def _freed(result: Any) -> Note:
    return ((result.num_tokens_evicted, result.swa_num_tokens_evicted, result.mamba_num_evicted),)


def _wanted_on_host(tap: Tap, tokens: int, component: Any = None, *_: Any) -> Note:
    return tokens, "full" if component is None else component.name.lower()


def _freed_on_host(result: Any) -> Note:
    return (int(result or 0),)


def _to_load(tap: Tap, params: Any) -> Note:
    return _node(params.best_match_node), params.mem_quota


def _loading(result: Any) -> Note | None:
    if result is None:
        return None
    loaded, node = result
    return loaded if isinstance(loaded, int) else len(loaded), _node(node)


def _polled(tap: Tap, *_: Any) -> Note:
    return (False,)


def _acknowledged(fewer: int) -> Note | None:
    return (fewer,) if fewer > 0 else None


def _submitted(fewer: int) -> Note | None:
    """What was queued is on its way from now on: that is noted as a poll that found nothing."""
    return (0,) if fewer > 0 else None


def _only_that(name: str, tap: Tap, *_: Any) -> Note:
    """It was called."""
    return (name,)


def _under_way(tree: Any) -> int:
    controller = tree.cache_controller
    return 0 if controller is None else len(controller.ack_write_queue)


def _queued(tree: Any) -> int:
    controller = tree.cache_controller
    return 0 if controller is None else len(controller.write_queue)


def _loading_now(tree: Any) -> int:
    return len(tree.ongoing_load_back)


def _nothing(tap: Tap, *_: Any) -> Note:
    return ()


_NOTED = {
    "match_prefix": Noting("match", _looked_up, _found),
    "insert": Noting("insert", _handed_over, _inserted),
    "inc_lock_ref": Noting("lock", _anchor, _locked),
    "dec_lock_ref": Noting("unlock", _given_back),
    "dec_swa_lock_only": Noting("release_window", _given_back_early),
    "release_swa": Noting("release_window", _lock_given_back_early),
    "inc_host_lock_ref": Noting("lock_host", _anchor, _locked),
    "dec_host_lock_ref": Noting("unlock_host", _given_back),
    "evict": Noting("evict", _wanted, _freed, changes_pools=True),
    "evict_for_alloc": Noting("evict", _wanted, _freed, changes_pools=True),
    "evict_host": Noting("evict_host", _wanted_on_host, _freed_on_host, changes_pools=True),
    "init_load_back": Noting("load_back", _to_load, _loading, changes_pools=True),
    "writing_check": Noting("writing_check", _polled, _acknowledged, counted=_under_way),
    "flush_pending_backups": Noting("writing_check", _polled, _submitted, counted=_queued),
    "loading_check": Noting("loading_check", _polled, _acknowledged, counted=_loading_now),
    "reset": Noting("reset", _nothing, changes_pools=True),
    **{
        name: Noting("not_recorded", functools.partial(_only_that, name), changes_pools=True)
        for name in ("prefetch_from_storage", "backup_kv_cache", "restore_kv_cache", "touch_prefix")
    },
}
"""By SGLang's name of a method. Of the last ones a trace says only that they were called."""


# -- what the cache is -----------------------------------------------------------------------------


def _system(tree: Any) -> str:
    """Its release and core, as radixproof names them."""
    core = "+rust" if "Rust" in type(getattr(tree, "tree_core", None)).__name__ else ""
    return f"sglang=={_version()}{core}"


def _version() -> str:
    with suppress(PackageNotFoundError):
        return version("sglang")
    for folder in sys.modules["sglang"].__path__:
        for info in sorted(Path(folder).parent.glob("sglang-*.dist-info")):
            return info.name.removesuffix(".dist-info").partition("-")[2]
    return ""


def _config(tree: Any) -> dict[str, Any]:
    """The configuration, by the names of a history's."""
    core = getattr(tree, "tree_core", tree)
    allocator, page = tree.token_to_kv_pool_allocator, tree.page_size
    kinds = {kind.name for kind in tree.tree_components}
    windowed, stateful = "SWA" in kinds, "MAMBA" in kinds
    controller = tree.cache_controller
    host = {kind: pool.size for kind, pool in _host_pools(tree).items()}
    states = _states(tree)
    strategy = type(getattr(core, "eviction_strategy", None)).__name__
    policy = vars(tree).get(_POLICY) or strategy.removesuffix("Strategy").lower()
    load_threshold = max(1, getattr(tree, "load_back_threshold", 1))
    return {
        "page_size": page,
        "window": tree.sliding_window_size if windowed else None,
        "device_pages": (allocator.size_full if windowed else allocator.size) // page,
        "swa_pages": allocator.size_swa // page if windowed else 0,
        "mamba_states": states.size if stateful else 0,
        "host_pages": host.get("full", 0) // page,
        "swa_host_pages": host.get("swa", 0) // page,
        "mamba_host_states": host.get("mamba", 0),
        "write_back": controller is not None and controller.write_policy == "write_back",
        "threshold": tree.write_through_threshold if controller is not None else 1,
        "eviction_policy": policy,
        "load_threshold": load_threshold if controller is not None else 1,
        "bigram": bool(core.is_eagle),
    }


def _host_pools(tree: Any) -> dict[str, Any]:
    if tree.cache_controller is None:
        return {}
    entries = tree.host_pool_group.entries
    return {
        _KINDS[entry.name.value]: entry.host_pool for entry in entries if entry.name.value in _KINDS
    }


def _states(tree: Any) -> Any:
    rows = tree.req_to_token_pool
    return getattr(rows, "mamba_allocator", None) or getattr(rows, "mamba_pool", None)


def _free_counts(tree: Any) -> dict[str, Callable[[], int]]:
    """Per pool what tells its free slots."""
    kinds = {kind.name for kind in tree.tree_components}
    allocator = tree.token_to_kv_pool_allocator
    counts = {"full": getattr(allocator, "full_available_size", allocator.available_size)}
    if "SWA" in kinds:
        counts["swa"] = allocator.swa_available_size
    if "MAMBA" in kinds:
        counts["mamba"] = _states(tree).available_size
    counts |= {f"{kind}_host": pool.available_size for kind, pool in _host_pools(tree).items()}
    return counts

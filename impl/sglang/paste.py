"""Write a finding as a plain pytest file: SGLang's own API, torch and pytest, fit to be pasted into an issue.

The file builds the cache of the history's configuration, performs each operation as the interpreter (`properties.running.run`)
does, and asserts what the witness of the breach says; it knows nothing of radixproof. One source runs on every release that
`adapter` drives. It has only the helpers and imports that the history needs, and is laid out as ``ruff format`` would.

Two differences from the interpreter: slots are not filled with content, and where a history runs some copies, all are waited for.
A history with what cannot be written so becomes a file that says why, with its steps in words, and skips itself.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from radixproof.impl.operations import (
    Evict,
    EvictHost,
    History,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    ReleaseWindow,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.sglang.paste_cache import constants, functions
from radixproof.impl.sglang.paste_layout import call, comment, prompt
from radixproof.impl.sglang.releases import scope_of
from radixproof.impl.sglang.victims import Endless
from radixproof.model.config import Config, Pool
from radixproof.model.verdict import Breach, Property, Witness

PROSE_WIDTH = 110


def render(history: History, breach: Breach, version: str) -> str:
    """Source of a pytest file with one test: the last operation of ``history`` is the step that ``breach`` was seen at.

    ``version`` is the release of SGLang that it was found in.
    """
    reason = _unwritable(history)
    if reason:
        return _skipping(history, breach, version, reason)
    code = functions(history, _test(history, breach, version))
    top = [
        _docstring(breach, version, _HOW),
        _imports([constants(history.config), *code]),
        constants(history.config),
    ]
    return "\n\n".join(top) + "\n\n\n" + "\n\n\n".join(code) + "\n"


def _unwritable(history: History) -> str:
    """What this module cannot write of a history; empty if it can write all of it."""
    config = history.config
    for there, what in (
        (config.mamba_states > 0, "MAMBA"),
        (config.bigram, "bigram keys"),
        (config.ranks > 1, "several ranks"),
    ):
        if there:
            return f"caches with {what}"
    unknown = next(
        (operation for operation in history.operations if not isinstance(operation, _WRITTEN)), None
    )
    return f"the operation {unknown.name!r}" if unknown else ""


def _skipping(history: History, breach: Breach, version: str, reason: str) -> str:
    """A file for reading: what happened, and the steps to it."""
    how = f"Found by radixproof, which can replay it. As a plain test it cannot be written yet: no test here has {reason}."
    steps = [
        line
        for number, step in enumerate(history.operations, 1)
        for line in comment(f"{number}. {step}")
    ]
    test = [f"def {_name(breach)}():", *steps, f'    pytest.skip("not written: {reason}")']
    return (
        "\n\n".join([_docstring(breach, version, how), "import pytest"])
        + "\n\n\n"
        + "\n".join(test)
        + "\n"
    )


def _name(breach: Breach) -> str:
    return "test_" + re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_")


# -- the top of the file -----------------------------------------------------------------------------------------------------------


_HOW = (
    "Found by radixproof. Run it with pytest where SGLang and a GPU are, or else on a CPU with\n"
    "    pytest -p radixproof.impl.sglang.plugin --sglang {version} THIS_FILE"
)


def _docstring(breach: Breach, version: str, how: str) -> str:
    where = f"{breach.signature} in the unified radix cache of SGLang {version}."
    prose = [
        _wrap(f"What must hold: {breach.violates.sentence}."),
        _wrap(f"What happened: {breach.text}."),
    ]
    if " | " in breach.text:
        prose.append(
            _wrap(
                "Prompts are written as their tokens; in [1 | 2], the node meant is the part behind the bar."
            )
        )
    text = "\n\n".join(
        [where, "\n".join(prose), _wrap(how) if "\n" not in how else how.format(version=version)]
    )
    return '"""' + text.replace("\\", "\\\\").replace('"""', "'''") + '\n"""'


def _wrap(text: str) -> str:
    return "\n".join(textwrap.wrap(" ".join(text.split()), PROSE_WIDTH, subsequent_indent="    "))


_MODULES = {
    "allocator": ("PagedTokenToKVPoolAllocator", "TokenToKVPoolAllocator"),
    "base_prefix_cache": ("EvictParams", "InitLoadBackParams", "InsertParams", "MatchPrefixParams"),
    "cache_init_params": ("CacheInitParams",),
    "memory_pool": ("MHATokenToKVPool",),
    "radix_cache": ("RadixKey",),
    "swa_memory_pool": ("SWAKVPool",),
    "unified_radix_cache": ("ComponentType", "UnifiedRadixCache"),
}
"""Names that the file may need, by module of ``sglang.srt.mem_cache``."""
_SWA_ALLOCATOR = """
try:
    from sglang.srt.mem_cache.allocator.swa import SWATokenToKVPoolAllocator
except ImportError:  # before 0.5.13
    from sglang.srt.mem_cache.swa_memory_pool import SWATokenToKVPoolAllocator"""


def _imports(code: Sequence[str]) -> str:
    words = set(re.findall(r"\w+", "\n".join(code)))
    plain = (("array", "array"), ("inspect", "signature"), ("types", "SimpleNamespace"))
    lines = [f"from {module} import {name}" for module, name in plain if name in words]
    lines += ["", "import torch"] if lines else ["import torch"]
    for module, names in _MODULES.items():
        used = [name for name in names if name in words]
        if used:
            lines.append(f"from sglang.srt.mem_cache.{module} import {', '.join(used)}")
    if "ServerArgs" in words:
        lines.append(
            "from sglang.srt.server_args import ServerArgs, set_global_server_args_for_scheduler"
        )
    if "SWATokenToKVPoolAllocator" in words:
        lines.append(_SWA_ALLOCATOR)
    return "\n".join(lines)


# -- the test ----------------------------------------------------------------------------------------------------------------------


def _test(history: History, breach: Breach, version: str) -> str:
    lines = [f"def {_name(breach)}():", "    tree = make_cache()"]
    last = len(history.operations)
    for number, (title, statements) in enumerate(_steps(history, version), 1):
        lines += ["", *comment(f"{number}. {title}")]
        if number == last:
            lines += _just_before(breach)
        lines += statements
    return "\n".join(lines + _just_after(breach))


@dataclass(slots=True)
class _Held:
    """Receipts that a history has at some point."""

    device: set[str] = field(default_factory=set)
    host: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    """Those of the device whose window was given back."""

    def note(self, operation: Operation) -> None:
        match operation:
            case Lock(receipt):
                self.device.add(receipt)
            case HostLock(receipt):
                self.host.add(receipt)
            case ReleaseWindow(receipt):
                self.released.add(receipt)
            case Unlock(receipt):
                for receipts in (self.device, self.host, self.released):
                    receipts.discard(receipt)


def _steps(history: History, version: str) -> Iterator[tuple[str, list[str]]]:
    """Per operation its title and its statements: none for what the interpreter would skip, as far as that is known here."""
    reasons = _reasons(history, version)
    performed = [
        operation
        for operation, reason in zip(history.operations, reasons, strict=True)
        if reason is None
    ]
    held = _Held()
    done = 0
    for operation, reason in zip(history.operations, reasons, strict=True):
        if reason is not None:
            yield f"{operation}: left out, {reason}", []
            continue
        done += 1
        kept = isinstance(operation, Lock | HostLock) and _is_used(
            operation.receipt, performed[done:]
        )
        yield str(operation), _statements(operation, held, kept)
        held.note(operation)


def _reasons(history: History, version: str) -> list[str | None]:
    """Per operation why it is left out, None where it is not."""
    offered = scope_of(version).operations
    held = _Held()
    reasons: list[str | None] = []
    for operation in history.operations:
        known = type(operation) in offered
        reasons.append(
            _skipped(operation, history.config, held)
            if known
            else "the release has no such operation"
        )
        if reasons[-1] is None:
            held.note(operation)
    return reasons


def _is_used(receipt: str, operations: Sequence[Operation]) -> bool:
    return any(
        isinstance(operation, Unlock | ReleaseWindow) and operation.receipt == receipt
        for operation in operations
    )


def _skipped(operation: Operation, config: Config, held: _Held) -> str | None:
    match operation:
        case (
            HostLock() | LoadBack() | EvictHost() | RunCopies() | WritingCheck() | LoadingCheck()
        ) if not config.hosted:
            return "there is no host tier"
        case Insert(_, evicted) if evicted and config.window is None:
            return "there is no SWA"
        case Insert(key, evicted) if evicted > config.floor(len(key.tokens)):
            return "the SWA boundary is beyond the prompt"
        case RunCopies(fail=True):
            return "copies of SGLang cannot fail"
        case Lock(receipt) | HostLock(receipt) if receipt in held.device | held.host:
            return f"{receipt} is taken"
        case Unlock(receipt) if receipt not in held.device | held.host:
            return f"there is no receipt {receipt}"
        case ReleaseWindow(receipt) if (
            config.window is None or receipt not in held.device - held.released
        ):
            return f"the window of {receipt} is not locked"
        case Reset() if held.device | held.host:
            return "the cache is not idle"
    return None


_WRITTEN = (
    Match, Insert, Lock, HostLock, Unlock, ReleaseWindow, Evict, EvictHost, LoadBack, RunCopies, WritingCheck, LoadingCheck, Reset,
)  # fmt: skip
"""Operations that `_statements` knows."""


def _statements(operation: Operation, held: _Held, kept: bool) -> list[str]:
    """``kept`` says of a lock that its receipt will be needed."""
    match operation:
        case Match(key):
            return call("", "match", ["tree", *prompt(key)])
        case Insert(key, evicted, reuse, _, priority):
            tokens, *namespace = prompt(key)
            extra = (
                [f"evicted={evicted}"] * bool(evicted)
                + ["reuse=True"] * reuse
                + [f"priority={priority}"] * bool(priority)
            )
            return call("", "insert", ["tree", tokens, *extra, *namespace])
        case Lock(receipt, key):
            return call(f"receipt_{receipt} = " if kept else "", "lock", ["tree", *prompt(key)])
        case HostLock(receipt, key):
            return call(
                f"receipt_{receipt} = " if kept else "", "lock_host", ["tree", *prompt(key)]
            )
        case Unlock(receipt) if receipt in held.host:
            return [f"    tree.dec_host_lock_ref(*receipt_{receipt})"]
        case Unlock(receipt):
            return [
                f"    tree.dec_lock_ref(*receipt_{receipt}{', skip_swa=True' * (receipt in held.released)})"
            ]
        case ReleaseWindow(receipt):
            return [
                f"    tree.dec_swa_lock_only(receipt_{receipt}[0], receipt_{receipt}[1].swa_uuid_for_lock)"
            ]
        case LoadBack(key, quota):
            tokens, *namespace = prompt(key)
            return call(
                "",
                "load_back",
                ["tree", tokens, *([] if quota is None else [f"quota={quota}"]), *namespace],
            )
    return [f"    {line}" for line in _plain_statements(operation)]


def _plain_statements(operation: Operation) -> list[str]:
    """Statements of operations that are about no prompt and no receipt."""
    match operation:
        case Evict(full, swa):
            return [
                f"tree.evict(EvictParams(num_tokens={full}{f', swa_num_tokens={swa}' if swa else ''}))"
            ]
        case EvictHost(tokens, component):
            return [f"tree.evict_host({tokens}, ComponentType.{component.name})"]
        case RunCopies(_, load):
            return _wait("load" if load else "write")
        case WritingCheck(blocking):
            return [f"tree.writing_check({'write_back=True' if blocking else ''})"]
        case LoadingCheck(blocking):
            return [*(_wait("load") if blocking else []), "tree.loading_check()"]
        case Reset():
            return ["reset(tree)"]
    raise NotImplementedError(operation.name)


def _wait(direction: str) -> list[str]:
    """Statements that wait for all copies of a direction."""
    return [
        f"for copy in tree.cache_controller.ack_{direction}_queue:",
        "    copy.finish_event.synchronize()",
    ]


def _just_before(breach: Breach) -> list[str]:
    """What goes before the statements of the last step."""
    if breach.violates is Property.NOCRASH:
        raised, _, where = breach.rule.partition("@")
        return comment(
            "This never returns."
            if raised == Endless.__name__
            else f"This raises: {raised} in {where}."
        )
    if breach.witness is not None and breach.witness.kept is not None:
        return _slots("before", breach.witness)
    return []


def _just_after(breach: Breach) -> list[str]:
    """The assertion, after the last step. A call that raises needs none, and without a witness there are only general checks."""
    if breach.violates is Property.NOCRASH:
        return []
    if breach.witness is not None:
        return _assertion(breach.witness)
    lines = ["", "    check(tree)"]
    if breach.violates is Property.QUIESCE:
        lines += [
            '    protected = sum(getattr(tree, "tree_core", tree).component_protected_size_.values())  # tree_core: since 0.5.17',
            '    assert protected == 0, f"nothing holds a lock, but {protected} tokens are protected"',
        ]
    return lines


def _assertion(witness: Witness) -> list[str]:
    component = witness.pool.component.name
    prefix = str(witness.prefix) if len(str(witness.prefix)) <= 30 else "the prefix"
    pool = f"the {component} pool {'on the host' if witness.pool.on_host else 'on the device'}"
    if witness.kept is not None:
        same, wrong = (
            ("==", "no longer has its slots") if witness.kept else ("!=", "still has its slots")
        )
        return [
            *_slots("after", witness),
            f'    assert after {same} before, "{prefix} {wrong} in {pool}"',
        ]
    data = f"node.component_data[ComponentType.{component}]"
    node = ["", *call("node = ", "node_at", ["tree", *prompt(witness.prefix)])]
    if witness.locks is not None:
        kind = f"{component} host" if witness.pool.on_host else component
        return [
            *node,
            f"    locks = 0 if node is None else {data}.{'host_lock_ref' if witness.pool.on_host else 'lock_ref'}",
            f'    assert locks == {witness.locks}, f"{prefix} has {{locks}} {kind} locks and should have {witness.locks}"',
        ]
    held = f"    held = node is not None and {data}.{_tier(witness.pool)} is not None"
    if witness.held:
        return [*node, held, f'    assert held, "{prefix} should be in {pool} and is not"']
    return [*node, held, f'    assert not held, "{prefix} is in {pool} and should not be"']


def _slots(name: str, witness: Witness) -> list[str]:
    tokens, *namespace = prompt(witness.prefix)
    component = f"ComponentType.{witness.pool.component.name}"
    return call(
        f"{name} = ",
        "slots_at",
        ["tree", tokens, component, f'"{_tier(witness.pool)}"', *namespace],
    )


def _tier(pool: Pool) -> str:
    return "host_value" if pool.on_host else "value"

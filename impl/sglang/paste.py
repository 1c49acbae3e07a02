"""Write a finding as a plain pytest file: SGLang's own API, torch and pytest, fit to be pasted into an issue.

The file builds the cache of the history's configuration, performs each operation as the interpreter (`properties.interpreter`)
does, and asserts what the witness of the breach says; it knows nothing of radixproof. One source runs on every release that
`adapter` drives. It has only the helpers and imports that the history needs, and is laid out as ``ruff format`` would.

Two differences from the interpreter: slots are not filled with content, and where a history runs some copies, all are waited for.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence

from radixproof.model.config import Config, Pool
from radixproof.model.history import History
from radixproof.model.operations import (
    Evict,
    EvictHost,
    Insert,
    Key,
    Lock,
    Match,
    Operation,
    Reset,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.model.verdict import Breach, Property, Witness

WIDTH = 132
"""Longest line of code in the file."""
PROSE_WIDTH = 110


def render(history: History, breach: Breach, version: str) -> str:
    """Source of a pytest file with one test: the last operation of ``history`` is the step that ``breach`` was seen at.

    ``version`` is the release of SGLang that it was found in.
    """
    functions = _functions(history, _test(history, breach))
    constants = _constants(history.config)
    top = [_docstring(breach, version), _imports([constants, *functions]), constants]
    return "\n\n".join(top) + "\n\n\n" + "\n\n\n".join(functions) + "\n"


# -- the top of the file -----------------------------------------------------------------------------------------------------------


def _docstring(breach: Breach, version: str) -> str:
    where = f"{breach.signature} in the unified radix cache of SGLang {version}."
    prose = [_wrap(f"What must hold: {breach.violates.value}."), _wrap(f"What happened: {breach.text}.")]
    if " | " in breach.text:
        prose.append(_wrap("Prompts are written as their tokens; in [1 | 2], the node meant is the part behind the bar."))
    how = (
        "Found by radixproof. Run it with pytest where SGLang and a GPU are, or else on a CPU with\n"
        f"    pytest -p radixproof.impl.sglang.plugin --sglang {version} THIS_FILE"
    )
    text = "\n\n".join([where, "\n".join(prose), how])
    return '"""' + text.replace("\\", "\\\\").replace('"""', "'''") + '\n"""'


def _wrap(text: str) -> str:
    return "\n".join(textwrap.wrap(" ".join(text.split()), PROSE_WIDTH, subsequent_indent="    "))


_MODULES = {
    "allocator": ("PagedTokenToKVPoolAllocator", "TokenToKVPoolAllocator"),
    "base_prefix_cache": ("EvictParams", "InsertParams", "MatchPrefixParams"),
    "cache_init_params": ("CacheInitParams",),
    "memory_pool": ("MHATokenToKVPool",),
    "radix_cache": ("RadixKey",),
    "swa_memory_pool": ("SWAKVPool",),
    "unified_cache_components": ("ComponentType",),
    "unified_radix_cache": ("UnifiedRadixCache",),
}
"""Names that the file may need, by module of ``sglang.srt.mem_cache``."""
_SWA_ALLOCATOR = """
try:
    from sglang.srt.mem_cache.allocator.swa import SWATokenToKVPoolAllocator
except ImportError:  # before 0.5.13
    from sglang.srt.mem_cache.swa_memory_pool import SWATokenToKVPoolAllocator"""


def _imports(code: Sequence[str]) -> str:
    words = set(re.findall(r"\w+", "\n".join(code)))
    lines = [f"from {module} import {name}" for module, name in (("array", "array"), ("inspect", "signature")) if name in words]
    lines += ["", "import torch"] if lines else ["import torch"]
    for module, names in _MODULES.items():
        used = [name for name in names if name in words]
        if used:
            lines.append(f"from sglang.srt.mem_cache.{module} import {', '.join(used)}")
    lines.append("from sglang.srt.server_args import ServerArgs")
    if "SWATokenToKVPoolAllocator" in words:
        lines.append(_SWA_ALLOCATOR)
    return "\n".join(lines)


# -- the cache ---------------------------------------------------------------------------------------------------------------------


def _constants(config: Config) -> str:
    host = ", ".join(str(config.slots(pool)) for pool in config.pools if pool.on_host)
    return (
        'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"\n'
        f"PAGE_SIZE = {config.page_size}\n"
        f"HOST_SLOTS = ({host}{',' if config.window is None else ''})"
    )


_OPTION = """
    # Releases before 0.5.15.post1 insist on this option, later ones do not have it.
    option = {"enable_kvcache_transpose": False} if "enable_kvcache_transpose" in signature(SWAKVPool).parameters else {}"""


def _make_cache(config: Config) -> str:
    shape = ["page_size=PAGE_SIZE", "dtype=torch.float32", "device=DEVICE"]
    size = [f"size={config.slots(Pool.FULL)}"]
    heads = ["head_num=2", "head_dim=2"]
    if config.window is None:
        kind = "FULL only"
        pool = _call("pool = ", "MHATokenToKVPool", [*size, *heads, "layer_num=1", "enable_memory_saver=False", *shape])
        paged = "PagedTokenToKVPoolAllocator" if config.page_size > 1 else "TokenToKVPoolAllocator"
        allocator = _call("allocator = ", paged, [*size, "kvcache=pool", "need_sort=False", *shape[config.page_size == 1 :]])
    else:
        kind = f"FULL and SWA with a window of {config.window}"
        size.append(f"size_swa={config.slots(Pool.SWA)}")
        layers = ["full_attention_layer_ids=[1]", "swa_attention_layer_ids=[0]"]
        pool = [_OPTION.strip("\n"), *_call("pool = ", "SWAKVPool", [*size, *heads, *layers, *shape, "**option"])]
        allocator = _call("allocator = ", "SWATokenToKVPoolAllocator", [*size, "kvcache=pool", "need_sort=False", *shape])
    lines = [
        "def make_cache():",
        f'    """An empty cache, {kind}, that writes through to the host."""',
        *pool,
        *allocator,
        *_call("params = ", "CacheInitParams", _init_params(config)),
        "    tree = UnifiedRadixCache(params)",
        *_call("server_args = ", "ServerArgs", _server_args(config)),
        "    tree.init_hicache(server_args, params)",
    ]
    if config.threshold != 1:
        lines.append(f"    tree.write_through_threshold = {config.threshold}  # hits before a node is backed up")
    return "\n".join([*lines, "    limit_host(tree)", "    return tree"])


def _init_params(config: Config) -> list[str]:
    components = ", ".join(f"ComponentType.{component.name}" for component in config.components)
    return [
        "disable=False",
        "req_to_token_pool=None",
        "token_to_kv_pool_allocator=allocator",
        "page_size=PAGE_SIZE",
        *([] if config.window is None else [f"sliding_window_size={config.window}"]),
        f"tree_components=({components}{',' if config.window is None else ''})",
    ]


def _server_args(config: Config) -> list[str]:
    pairs = zip((Pool.FULL_HOST, Pool.SWA_HOST), (Pool.FULL, Pool.SWA), strict=True)
    ratios = [config.pages(host) / config.pages(device) for host, device in pairs if host in config.pools]
    return [
        'model_path="dummy"',
        "device=DEVICE",
        'hicache_write_policy="write_through"',
        'hicache_io_backend="direct"',
        'hicache_mem_layout="page_first_direct"',
        f"hicache_ratio={max(1.0, *(math.ceil(ratio * 10) / 10 for ratio in ratios))}",
    ]


# -- helpers -----------------------------------------------------------------------------------------------------------------------

_BOTH = "(allocator.full_attn_allocator, allocator.swa_attn_allocator)"
_LIMIT_HOST = '''
def limit_host(tree):
    """Take away the slots beyond HOST_SLOTS: SGLang wants its host pools to be larger than those of the device."""
    for entry, slots in zip(tree.host_pool_group.entries, HOST_SLOTS, strict=True):
        entry.host_pool.alloc(entry.host_pool.size - slots)
'''
_MAKE_KEY = '''
def make_key(tree, tokens, namespace=None):
    """A key of the kind that the release uses: with a list of tokens before 0.5.13, with an array since."""
    in_list = isinstance(tree.root_node.key.token_ids, list)
    return RadixKey(tokens if in_list else array("q", tokens), namespace)
'''
_ALLOCATE = '''
def allocate(allocator, count):
    """FULL slots, each with a SWA slot beside it, as the scheduler gives them to a request; None if there is no room."""
    if allocator.available_size() < count:
        return None
    slots = allocator.full_attn_allocator.alloc(count)
    allocator.set_full_to_swa_mapping(slots, allocator.swa_attn_allocator.alloc(count))
    return slots
'''
_MATCH = """
def match(tree, tokens, namespace=None):
    return tree.match_prefix(MatchPrefixParams(key=make_key(tree, tokens, namespace)))
"""
_LOCK = '''
def lock(tree, tokens, namespace=None):
    """Lock the last node on the device that the prompt matches; `tree.dec_lock_ref(*receipt)` gives it back."""
    node = match(tree, tokens, namespace).last_device_node
    return node, tree.inc_lock_ref(node).to_dec_params()
'''
_RESET = '''
def reset(tree):
    """Flush the cache as the scheduler does, which it does not while backups are in flight."""
    if tree.ongoing_write_through:
        return
    tree.reset()
    tree.token_to_kv_pool_allocator.clear()
    limit_host(tree)
'''
_NODE_AT = '''
def node_at(tree, tokens, namespace=None):
    """The node that holds the last of these tokens, None if there is none. Unlike a match, this changes nothing."""
    node, rest = tree.root_node, tokens
    while rest:
        for child in node.children.values():
            segment = list(child.key.token_ids)
            if child.key.extra_key == namespace and segment[: len(rest)] == rest[: len(segment)]:
                node, rest = child, rest[len(segment) :]
                break
        else:
            return None
    return node
'''
_SLOTS_AT = '''
def slots_at(tree, tokens, component, tier, namespace=None):
    """The slots of the last page of these tokens, None if there are none; the tier is "value" or "host_value"."""
    node = node_at(tree, tokens, namespace)
    slots = None if node is None else getattr(node.component_data[component], tier)
    if slots is None:
        return None
    end = len(tokens)
    while (node := node.parent) is not tree.root_node:
        end -= len(node.key)
    return slots[end - PAGE_SIZE : end].tolist()
'''
_CHECK = '''
def check(tree):
    """SGLang's own check, and every slot of every pool is either free or in the tree."""
    tree.sanity_check()
    allocator = tree.token_to_kv_pool_allocator
    pools = ALLOCATORS
    for component, pool in zip(tree.tree_components, pools, strict=True):
        evictable, protected = tree.component_evictable_size_[component], tree.component_protected_size_[component]
        known = pool.available_size() + evictable + protected
        assert known == pool.size, f"{component.name}: {known} of {pool.size} slots are available, evictable or protected"
    for component, entry, slots in zip(tree.tree_components, tree.host_pool_group.entries, HOST_SLOTS, strict=True):
        values = [node.component_data[component].host_value for node in tree._collect_all_nodes()]
        known = entry.host_pool.available_size() + sum(len(value) for value in values if value is not None)
        assert known == slots, f"{component.name} on the host: {known} of {slots} slots are available or in the tree"
'''


def _functions(history: History, test: str) -> list[str]:
    """All functions of the file: the cache first and the test last; in between, what is called stands above what calls it."""
    sources = {
        "slots_at": _SLOTS_AT,
        "node_at": _NODE_AT,
        "check": _check(history.config),
        "reset": _RESET,
        "insert": _insert(history),
        "allocate": _ALLOCATE,
        "lock": _LOCK,
        "match": _MATCH,
        "make_key": _MAKE_KEY,
    }
    functions = [test]
    for name, source in sources.items():
        if re.search(rf"(?<!\.)\b{name}\(", "\n".join(functions)):
            if "namespace=" not in test:
                source = re.sub(r", namespace(=None)?|child\.key\.extra_key == namespace and ", "", source)
            functions.append(source.strip())
    return [_LIMIT_HOST.strip(), _make_cache(history.config), *reversed(functions)]


def _check(config: Config) -> str:
    return _CHECK.replace("ALLOCATORS", "(allocator,)" if config.window is None else _BOTH)


def _insert(history: History) -> str:
    """The helper for inserts, with the parameters and precautions that this history needs."""
    config = history.config
    inserts = [operation for operation in history.operations if isinstance(operation, Insert)]
    lengths = [len(insert.key.tokens) for insert in inserts]
    evicts = any(insert.evicted for insert in inserts)
    reuses = any(insert.reuse for insert in inserts)
    ragged = any(length % config.page_size for length in lengths)
    pages = sum(math.ceil(length / config.page_size) for length in lengths)
    tight = pages > min(config.pages(pool) for pool in config.pools if not pool.on_host)
    paired = config.window is not None and config.page_size > 1
    lines = [
        f"def insert(tree, tokens{', evicted=0' * evicts}{', reuse=False' * reuses}, namespace=None):",
        f'    """Insert a prompt as a request does{", which is turned away if there is no room" * tight}."""',
        "    allocator = tree.token_to_kv_pool_allocator",
    ]
    count = "len(tokens)"
    if reuses:
        lines += [
            "    owned = torch.empty(0, dtype=torch.int64, device=DEVICE)",
            "    if reuse:",
            "        owned = match(tree, tokens, namespace).device_indices  # the tree has them already",
        ]
        count = "len(tokens) - len(owned)"
    if ragged:
        lines += [f"    count = {count}", "    count += -count % PAGE_SIZE  # whole pages"]
        count = "count"
    lines.append(f"    slots = {'allocate(allocator, ' if paired else 'allocator.alloc('}{count})")
    if tight:
        lines += ["    if slots is None:", "        return  # no room"]
    if reuses:
        lines.append("    slots = torch.cat([owned, slots])")
    if evicts and config.window is not None:
        lines.append(
            f"    allocator.free_swa(slots[{'len(owned) ' * reuses}:{' ' * reuses}evicted])  # the window has slid past them"
        )
    value = "slots[: len(tokens)]" if ragged else "slots"
    protected, boundary = ", prev_prefix_len=len(owned)" * reuses, ", swa_evicted_seqlen=evicted" * evicts
    lines += [
        "    key = make_key(tree, tokens, namespace)",
        f"    tree.insert(InsertParams(key=key, value={value}{protected}{boundary}))",
    ]
    if ragged:
        lines.append("    allocator.free(slots[len(tokens) // PAGE_SIZE * PAGE_SIZE :])  # the page that is not full")
    return "\n".join(lines)


# -- the test ----------------------------------------------------------------------------------------------------------------------


def _test(history: History, breach: Breach) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", breach.signature.lower()).strip("_")
    lines = [f"def test_{name}():", "    tree = make_cache()"]
    last = len(history.operations)
    for number, (title, statements) in enumerate(_steps(history), 1):
        lines += ["", *_comment(f"{number}. {title}")]
        if number == last:
            lines += _just_before(breach)
        lines += statements
    return "\n".join(lines + _just_after(breach))


def _steps(history: History) -> Iterator[tuple[str, list[str]]]:
    """Per operation its title and its statements: none for what the interpreter would skip, as far as that is known here."""
    receipts: set[str] = set()
    for at, operation in enumerate(history.operations):
        reason = _skipped(operation, history.config, receipts)
        if reason is not None:
            yield f"{operation}: left out, {reason}", []
            continue
        kept = isinstance(operation, Lock) and Unlock(operation.receipt) in history.operations[at + 1 :]
        yield str(operation), _statements(operation, kept)
        if isinstance(operation, Lock):
            receipts.add(operation.receipt)
        elif isinstance(operation, Unlock):
            receipts.remove(operation.receipt)


def _skipped(operation: Operation, config: Config, receipts: set[str]) -> str | None:
    match operation:
        case Insert(key, evicted) if evicted > config.floor(len(key.tokens)):
            return "the SWA boundary is beyond the prompt"
        case Lock(receipt) if receipt in receipts:
            return f"{receipt} is taken"
        case Unlock(receipt) if receipt not in receipts:
            return f"there is no receipt {receipt}"
        case Reset() if receipts:
            return "the cache is not idle"
    return None


def _statements(operation: Operation, kept: bool) -> list[str]:
    """``kept`` says of a lock that its receipt will be needed."""
    match operation:
        case Match(key):
            return _call("", "match", ["tree", *_prompt(key)])
        case Insert(key, evicted, reuse):
            tokens, *namespace = _prompt(key)
            extra = [f"evicted={evicted}"] * bool(evicted) + ["reuse=True"] * reuse
            return _call("", "insert", ["tree", tokens, *extra, *namespace])
        case Lock(receipt, key):
            return _call(f"receipt_{receipt} = " if kept else "", "lock", ["tree", *_prompt(key)])
        case Unlock(receipt):
            return [f"    tree.dec_lock_ref(*receipt_{receipt})"]
        case Evict(full, swa):
            return [f"    tree.evict(EvictParams(num_tokens={full}{f', swa_num_tokens={swa}' if swa else ''}))"]
        case EvictHost(tokens, component):
            return [f"    tree.evict_host({tokens}, ComponentType.{component.name})"]
        case RunCopies():
            return ["    tree.cache_controller.write_stream.synchronize()  # waits for all copies"]
        case WritingCheck(blocking):
            return [f"    tree.writing_check({'write_back=True' if blocking else ''})"]
        case Reset():
            return ["    reset(tree)"]


def _just_before(breach: Breach) -> list[str]:
    """What goes before the statements of the last step."""
    if breach.violates is Property.NOCRASH:
        return _comment(f"This raises: {breach.rule.replace('@', ' in ')}.")
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
            "    protected = sum(tree.component_protected_size_.values())",
            '    assert protected == 0, f"nothing holds a lock, but {protected} tokens are protected"',
        ]
    return lines


def _assertion(witness: Witness) -> list[str]:
    component = witness.pool.component.name
    prefix = str(witness.prefix) if len(str(witness.prefix)) <= 30 else "the prefix"
    pool = f"the {component} pool {'on the host' if witness.pool.on_host else 'on the device'}"
    if witness.kept is not None:
        same, wrong = ("==", "no longer has its slots") if witness.kept else ("!=", "still has its slots")
        return [*_slots("after", witness), f'    assert after {same} before, "{prefix} {wrong} in {pool}"']
    data = f"node.component_data[ComponentType.{component}]"
    node = ["", *_call("node = ", "node_at", ["tree", *_prompt(witness.prefix)])]
    if witness.locks is not None:
        return [
            *node,
            f"    locks = 0 if node is None else {data}.lock_ref",
            f'    assert locks == {witness.locks}, f"{prefix} has {{locks}} {component} locks and should have {witness.locks}"',
        ]
    held = f"    held = node is not None and {data}.{_tier(witness.pool)} is not None"
    if witness.held:
        return [*node, held, f'    assert held, "{prefix} should be in {pool} and is not"']
    return [*node, held, f'    assert not held, "{prefix} is in {pool} and should not be"']


def _slots(name: str, witness: Witness) -> list[str]:
    tokens, *namespace = _prompt(witness.prefix)
    component = f"ComponentType.{witness.pool.component.name}"
    return _call(f"{name} = ", "slots_at", ["tree", tokens, component, f'"{_tier(witness.pool)}"', *namespace])


def _tier(pool: Pool) -> str:
    return "host_value" if pool.on_host else "value"


# -- layout ------------------------------------------------------------------------------------------------------------------------


def _prompt(key: Key) -> list[str]:
    """A prompt as arguments: its tokens, with long runs of them as ranges, and its namespace if it has one."""
    runs: list[list[int]] = []
    for token in key.tokens:
        if runs and runs[-1][-1] + 1 == token:
            runs[-1].append(token)
        else:
            runs.append([token])
    items = [item for run in runs for item in ([f"*range({run[0]}, {run[-1] + 1})"] if len(run) > 8 else map(str, run))]
    return [f"[{', '.join(items)}]", *([f'namespace="{key.namespace}"'] if key.namespace else [])]


def _call(start: str, function: str, arguments: Sequence[str]) -> list[str]:
    """A statement in a function: on one line if it fits, else its arguments on one line, else each on its own."""
    flat = ", ".join(arguments)
    if len(line := f"    {start}{function}({flat})") <= WIDTH:
        return [line]
    lines = [f"        {flat}"]
    if len(lines[0]) > WIDTH:
        lines = [line for argument in arguments for line in _argument(argument)]
    return [f"    {start}{function}(", *lines, "    )"]


def _argument(text: str) -> list[str]:
    if len(text) + 9 <= WIDTH:
        return [f"        {text},"]
    tokens = re.findall(r"\*range\(.*?\)|\d+", text)
    return ["        [", *[f"            {item}," for item in tokens], "        ],"]


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    # ", subsequent_indent="    #    ")

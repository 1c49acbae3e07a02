"""Systems by name: what the command line and the tests can put under test.

A name is built in (``radix``, ``fault:NAME``, ``sglang==X``), or it is that of an entry point of
the group `GROUP`, or the place of a `Target` in Python code, written ``module:attribute``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from radixproof.impl.sglang.names import INSTALLED, is_sglang, tree_in
from radixproof.impl.system import Target, Unavailable

if TYPE_CHECKING:
    from radixproof.impl.faults import Fault

GROUP = "radixproof.systems"
"""The entry points through which an installed package offers systems.

Each is a `Target`, or a function without arguments that returns one.
"""
KNOWN = (
    "radix, radix:cuda, fault:NAME, sglang, sglang==VERSION, sglang==VERSION+rust, sglang@FOLDER"
)
_FAULT = "fault:"


class UnknownSystem(LookupError):
    """No system has that name, or its code cannot be used. The message says what to do."""


def find(name: str) -> Target:
    """The system called ``name``, whose target then has that name.

    Raises `UnknownSystem`, or `Unavailable` if it is known but cannot be run here.
    """
    if name in ("radix", "radix:cuda"):
        return _radix(name)
    if (fault := planted_in(name)) is not None:
        return _fault(fault)
    if is_sglang(name):
        return _sglang(name)
    offered = _offered().get(name)
    if offered is not None:
        return _target(name, offered.load, f"the entry point {offered.value}")
    if is_import(name):
        return _target(name, lambda: _attribute(name), name)
    others = "".join(f", {other}" for other in _offered())
    raise UnknownSystem(
        f"no system is called {name!r} (known: {KNOWN}{others}; your own: MODULE:ATTRIBUTE)"
    )


def planted_in(name: str) -> str | None:
    """The planted bug that a system is named after; None if the name is not ``fault:NAME``."""
    return name.removeprefix(_FAULT) if name.startswith(_FAULT) else None


def named_after(fault: str) -> str:
    """The name of our own implementation with one bug planted."""
    return f"{_FAULT}{fault}"


def is_import(name: str) -> bool:
    """Whether a name is the place of a target in Python code, as in ``my_cache:target``."""
    module, colon, attribute = name.partition(":")
    if module in ("radix", "fault") or name in _offered():
        return False
    parts = [*module.split("."), *attribute.split(".")]
    return bool(colon) and all(part.isidentifier() for part in parts)


def must_be_named(name: str) -> bool:
    """Whether a name is a place in somebody's code or folders, which no file may choose."""
    return is_import(name) or tree_in(name) is not None


def is_of_strangers(name: str) -> bool:
    """Whether to find a system runs code that is neither ours nor SGLang's."""
    return name in _offered() or is_import(name)


def family_of(name: str) -> str:
    """What a name is one of: ``sglang`` for every release, core and source tree of it."""
    return INSTALLED if is_sglang(name) else name.partition("==")[0]


def release_of(name: str) -> str | None:
    """The release that a name stands for here, if it says or implies one: ``sglang==X``."""
    from radixproof.impl.sglang import names, store

    if not is_sglang(name):
        return name.partition("==")[2] or None
    if (tree := tree_in(name)) is not None:
        try:
            version = store.source_tree(tree).version
        except Unavailable:  # there is no SGLang
            return None
        return version if store.is_version(version) else None
    return names.version_in(name) if names.is_release(name) else store.installed_version()


def reference_of(name: str) -> str | None:
    """The release by whose rules a source tree of SGLang is judged, with the same core; None if the
    name is not that of a source tree, or of one that is not driven.
    """
    from radixproof.impl.sglang import names, releases, store

    tree = tree_in(name)
    if tree is None:
        return None
    try:
        version = releases.nearest(store.source_tree(tree).version)
    except Unavailable:
        return None
    return names.named(version, names.core_in(name))


def is_prepared(release: str) -> bool:
    """Whether a release of SGLang can be run here, as named by `reference_of`."""
    from radixproof.impl.sglang import names, store

    return names.version_in(release) in store.prepared()


def locally() -> list[tuple[str, str]]:
    """Names and one-line descriptions of the systems that can be run here and now."""
    from radixproof.impl.sglang import names, releases, store

    rows = [("radix", find("radix").summary)] if has_torch() else []
    for name, point in _offered().items():
        rows.append((name, f"offered as {point.value}"))
    installed = store.installed_version()
    if installed is not None:
        rows.append(("sglang", f"SGLang {installed}, as installed in this environment"))
    rows += [
        (name, f"SGLang {names.version_in(name)}, prepared") for name in releases.prepared_names()
    ]
    rows += [
        (names.named(version, names.BOTH), f"SGLang {version}, prepared, its cores in lockstep")
        for version in store.prepared()
        if names.RUST in releases.cores_of(version)
    ]
    if has_torch():
        from radixproof.impl import faults

        rows += [
            (named_after(fault.name), f"radix with a planted bug: {fault.sentence}")
            for fault in faults.FAULTS.values()
        ]
    return rows


def planted_faults() -> dict[str, Fault]:
    """The bugs that can be planted in our own implementation, by name. Raises `Unavailable`."""
    _needs_torch("a planted bug")
    from radixproof.impl import faults

    return faults.FAULTS


# -- what is built in ----------------------------------------------------------------------------


def has_torch() -> bool:
    """Whether torch and numpy are installed: our own implementation and SGLang need them."""
    try:
        return all(importlib.util.find_spec(name) for name in ("torch", "numpy"))
    except ImportError:
        return False


def _needs_torch(name: str) -> None:
    if not has_torch():
        raise Unavailable(
            f"{name} needs torch and numpy, which are not installed:"
            " pip install 'radixproof[radix]'"
        )


def _radix(name: str) -> Target:
    _needs_torch(name)
    from radixproof.impl.radix_adapter.target import target

    return replace(target("cuda" if name.endswith(":cuda") else "cpu"), name=name)


def _fault(fault: str) -> Target:
    _needs_torch(named_after(fault))
    from radixproof.impl import faults

    if fault not in faults.FAULTS:
        raise UnknownSystem(
            f"no fault is called {fault!r} (known: {', '.join(sorted(faults.FAULTS))})"
        )
    return faults.target(fault)


def _sglang(name: str) -> Target:
    from radixproof.impl.sglang import store
    from radixproof.impl.sglang.names import core_in, version_in

    if (tree := tree_in(name)) is not None:
        _needs_torch(name)
        from radixproof.impl.sglang import adapter

        return adapter.tree_target(tree, core_in(name))
    exact = "==" in name
    version = version_in(name) if exact else store.installed_version()
    if exact and not store.is_version(version or ""):
        raise UnknownSystem(
            f"{version!r} is not a version of SGLang; write it as in sglang==0.5.13.post1"
        )
    if version is None:
        raise Unavailable(
            "SGLang is not installed in this environment; name a release, as in"
            " sglang==0.5.13.post1"
        )
    _needs_torch(name)
    from radixproof.impl.sglang import adapter

    return adapter.target(version, core_in(name))


# -- what is found ---------------------------------------------------------------------------------


def _offered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _attribute(place: str) -> object:
    """The object at ``module:attribute``, where the current folder is searched, too."""
    module, _, path = place.partition(":")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _target(name: str, load: Callable[[], object], place: str) -> Target:
    """The target at a place in somebody's code. What goes wrong there is reported as
    their mistake.
    """
    try:
        found = load()
        if not isinstance(found, Target | type) and callable(found):
            found = found()
    except Unavailable:
        raise
    except (Exception, SystemExit) as error:
        raise UnknownSystem(f"cannot use {place}: {_what_happened(error, name)}") from None
    if not isinstance(found, Target):
        kind = (
            f"the class {found.__name__}"
            if isinstance(found, type)
            else f"of type {type(found).__name__}"
        )
        raise UnknownSystem(
            f"cannot use {place}: it must be a radixproof.Target, or a function without arguments"
            f" that returns one, but is {kind}"
        )
    return replace(found, name=name)


def _what_happened(error: BaseException, name: str) -> str:
    """An error in one line, with the last line of somebody's own code that led to it."""
    text = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and error.name in _parents(name.partition(":")[0]):
        return f"there is no module {error.name!r} in this folder, and none is installed"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {text}"
    ours = (str(Path(__file__).parents[1]), str(importlib.__file__), dataclasses.__file__, "<")
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(ours)
    ]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{where}"


def _parents(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}

"""Names of SGLang: ``sglang==VERSION`` is a release, ``sglang@FOLDER`` a source tree.

Without more they are the Python core, with ``+rust`` the other, and with ``+both`` the two in
lockstep.
"""

from __future__ import annotations

from pathlib import Path

PYTHON, RUST, BOTH = "python", "rust", "both"
CHOICE = "SGLANG_UNIFIED_RADIX_TREE_CORE_BACKEND"
"""Where SGLang looks in the environment for the core of a cache that is to be built (0.5.19)."""
INSTALLED = "sglang"
_PREFIX, _TREE = "sglang==", "sglang@"
_SUFFIXES = {PYTHON: "", RUST: "+rust", BOTH: "+both"}


def named(version: str, core: str) -> str:
    """The name of a release with a core."""
    return f"{_PREFIX}{version}{_SUFFIXES[core]}"


def version_in(name: str) -> str:
    """What stands for the version in the name of a release."""
    return _without_core(name).removeprefix(_PREFIX)


def named_tree(folder: Path, core: str = PYTHON) -> str:
    """The name of a source tree with a core."""
    return f"{_TREE}{folder}{_SUFFIXES[core]}"


def tree_in(name: str) -> Path | None:
    """The folder of a source tree that a name stands for; None if it stands for none."""
    return Path(_without_core(name).removeprefix(_TREE)) if name.startswith(_TREE) else None


def is_installed(name: str) -> bool:
    """Whether a name stands for the SGLang that is installed, with whichever core."""
    return _without_core(name) == INSTALLED


def is_sglang(name: str) -> bool:
    """Whether a name stands for any SGLang: installed, a release, or a source tree."""
    return is_installed(name) or name.startswith((_PREFIX, _TREE))


def is_release(name: str) -> bool:
    """Whether a name stands for a release, with whichever core."""
    return name.startswith(_PREFIX)


def core_in(name: str) -> str:
    """The core that a name stands for, or `BOTH`."""
    return next((core for core in (RUST, BOTH) if name.endswith(_SUFFIXES[core])), PYTHON)


def _without_core(name: str) -> str:
    return name.removesuffix(_SUFFIXES[core_in(name)])

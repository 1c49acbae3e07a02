"""Names of SGLang: ``sglang==VERSION`` is a release, ``sglang@FOLDER`` a source tree.

Without more they are the Python core, with ``+rust`` the other.
"""

from __future__ import annotations

from pathlib import Path

PYTHON, RUST = "python", "rust"
INSTALLED = "sglang"
_PREFIX, _TREE, _RUST = "sglang==", "sglang@", "+rust"


def named(version: str, core: str) -> str:
    """The name of a release with a core."""
    return f"{_PREFIX}{version}{_RUST if core == RUST else ''}"


def version_in(name: str) -> str:
    """What stands for the version in the name of a release."""
    return name.removeprefix(_PREFIX).removesuffix(_RUST)


def named_tree(folder: Path, core: str = PYTHON) -> str:
    """The name of a source tree with a core."""
    return f"{_TREE}{folder}{_RUST if core == RUST else ''}"


def tree_in(name: str) -> Path | None:
    """The folder of a source tree that a name stands for; None if it stands for none."""
    return Path(name.removeprefix(_TREE).removesuffix(_RUST)) if name.startswith(_TREE) else None


def is_installed(name: str) -> bool:
    """Whether a name stands for the SGLang that is installed, with whichever core."""
    return name.removesuffix(_RUST) == INSTALLED


def is_sglang(name: str) -> bool:
    """Whether a name stands for any SGLang: installed, a release, or a source tree."""
    return is_installed(name) or name.startswith((_PREFIX, _TREE))


def is_release(name: str) -> bool:
    """Whether a name stands for a release, with whichever core."""
    return name.startswith(_PREFIX)


def core_in(name: str) -> str:
    """The core that a name stands for."""
    return RUST if name.endswith(_RUST) else PYTHON

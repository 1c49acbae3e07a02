"""Names of systems that are SGLang: ``sglang==VERSION`` is its Python core, ``...+rust`` the other.

A release that has one core only is always that.
"""

from __future__ import annotations

PYTHON, RUST = "python", "rust"
_PREFIX, _RUST = "sglang==", "+rust"


def named(version: str, core: str) -> str:
    """The name of a release with a core."""
    return f"{_PREFIX}{version}{_RUST if core == RUST else ''}"


def version_in(name: str) -> str:
    """What stands for the version in the name of a release."""
    return name.removeprefix(_PREFIX).removesuffix(_RUST)


def is_release(name: str) -> bool:
    """Whether a name stands for a release, with whichever core."""
    return name.startswith(_PREFIX)


def core_in(name: str) -> str:
    """The core that a name stands for."""
    return RUST if name.endswith(_RUST) else PYTHON

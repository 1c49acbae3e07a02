"""What a finding was made with: the versions that somebody needs to see it again."""

from __future__ import annotations

import platform
import sys
from functools import cache
from importlib import metadata

from radixproof import __version__
from radixproof.impl import registry
from radixproof.impl.sglang.names import BOTH, PYTHON, RUST, core_in, is_sglang, tree_in


def versions(system: str) -> dict[str, str]:
    """Versions by the name of what has them, that of the system under test first."""
    found = _of_system(system) | {
        "radixproof": __version__,
        "Python": f"{platform.python_version()} on {platform.system()} ({platform.machine()})",
    }
    torch = getattr(sys.modules.get("torch"), "__version__", None)
    return found if torch is None else found | {"torch": str(torch)}


def sglang_release(system: str) -> str | None:
    """The release of SGLang that a system's name stands for; None if it is something else, or
    none is installed.
    """
    return registry.release_of(system) if is_sglang(system) and tree_in(system) is None else None


_CORES = {PYTHON: "", RUST: ", its rust core", BOTH: ", both cores"}


def _of_system(system: str) -> dict[str, str]:
    """The package that a system comes from, unless it is our own or in no package."""
    tree = tree_in(system)
    if tree is not None:
        return {"SGLang": f"{registry.release_of(system) or 'of unknown version'}, in {tree}"}
    release = sglang_release(system)
    if release is not None:
        core = core_in(system)
        return {"SGLang": f"{release}{_CORES[core]}"}
    for point in metadata.entry_points(group=registry.GROUP, name=system):
        if point.dist is not None:
            return {point.dist.name: point.dist.version}
    if registry.is_import(system):
        module = system.partition(":")[0].partition(".")[0]
        return {name: metadata.version(name) for name in _packages_with(module)}
    return {}


@cache
def _packages_with(module: str) -> list[str]:
    """Asked once: it reads the list of files of every package that is installed."""
    return sorted(set(metadata.packages_distributions().get(module, [])))

"""The folder stands alone: an engine can lift it, and no module needs one that needs it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import radixproof.impl.radix

PACKAGE = "radixproof.impl.radix"
FOLDER = Path(radixproof.impl.radix.__file__ or "").parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def imports(module: str) -> Iterator[str]:
    """All that a module imports, wherever in it that stands: for types only, or in a function."""
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            assert node.module is not None
            yield node.module


def test_nothing_is_imported_but_the_folder_itself_torch_numpy_and_the_standard_library() -> None:
    """And Triton, which CUDA builds of torch bring along, by the one module that has kernels."""
    own = {f"{PACKAGE}.{module}" for module in MODULES}
    foreign = {
        (module, name)
        for module in MODULES
        for name in imports(module)
        if name not in own
        and name.partition(".")[0] not in {"numpy", "torch", *sys.stdlib_module_names}
        and (module, name.partition(".")[0]) != ("direct", "triton")
    }
    assert foreign == set()


def test_no_module_imports_one_that_imports_it() -> None:
    graph = {
        module: {
            name.removeprefix(f"{PACKAGE}.")
            for name in imports(module)
            if name.startswith(f"{PACKAGE}.")
        }
        for module in MODULES
    }
    layers = list(TopologicalSorter(graph).static_order())
    assert sorted(layers) == MODULES
    below = {"host_eviction": "backup", "backup": "device_eviction", "device_eviction": "loading"}
    for lower, upper in below.items():
        assert lower in graph[upper]

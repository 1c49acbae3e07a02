"""Record the caches of a server that knows nothing of it.

Where the environment names a folder in `FOLDER`, Python loads this at its start (the entry
``radixproof-recording.pth`` beside the packages, which `install` puts there), in every process that
the server starts. When SGLang's cache is imported, it is tapped.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

FOLDER = "RADIXPROOF_RECORD"
_MODULE, _CLASS = "sglang.srt.mem_cache.unified_radix_cache", "UnifiedRadixCache"
_ENTRY = "radixproof-recording.pth"
_LINE = (
    f"import os; os.environ.get({FOLDER!r}) and "
    "__import__('radixproof.impl.recording.autoload', fromlist=['watch']).watch()\n"
)


class _Watcher(importlib.abc.MetaPathFinder):
    """Finds SGLang's cache as others do, and taps it once it is loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._folder)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, folder: Path) -> None:
        self._loader, self._folder = loader, folder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        try:
            from radixproof.impl.recording.live_sglang import tap_class

            tap_class(getattr(module, _CLASS), self._folder)
        except Exception as error:  # a server must not fail for it
            sys.stderr.write(f"radixproof cannot record: {type(error).__name__}: {error}\n")


def watch() -> None:
    """Tap SGLang's cache when it is imported, if the environment says where to write."""
    folder = os.environ.get(FOLDER)
    if folder:
        sys.meta_path.insert(0, _Watcher(Path(folder)))


def install() -> Path:
    """Let Python load this at its start; returns the file that says so. Raises OSError."""
    entry = Path(sysconfig.get_path("purelib")) / _ENTRY
    entry.write_text(_LINE, encoding="ascii")
    return entry


def uninstall() -> None:
    """Undo `install`. Raises OSError."""
    (Path(sysconfig.get_path("purelib")) / _ENTRY).unlink(missing_ok=True)

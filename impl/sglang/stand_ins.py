"""Stand-ins for modules that SGLang imports but that its cache does not use.

They are present only while a release is being imported.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NAMES = {
    "aiohttp",
    "compressed_tensors",
    "dill",
    "einops",
    "fastapi",
    "gguf",
    "huggingface_hub",
    "IPython",
    "openai",
    "orjson",
    "partial_json_parser",
    "PIL",
    "pybase64",
    "pydantic",
    "pydantic_core",
    "requests",
    "safetensors",
    "sentencepiece",
    "sgl_kernel",
    "starlette",
    "torchvision",
    "tqdm",
    "transformers",
    "triton",
    "tvm_ffi",
    "uvicorn",
    "xgrammar",
    "zmq",
    "sglang.srt.function_call",
    "sglang.srt.layers.quantization.kvfp4_tensor",
    "sglang.srt.parser",
    "sglang.srt.utils.hf_transformers",
    "sglang.srt.utils.hf_transformers_utils",
}
"""Modules, with all below them: they are for models, kernels, servers and clients."""


class _Anything:
    """Any object: can be called, subscripted, subclassed and used as a decorator, and is false."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __init_subclass__(cls, **_: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        decorates = len(args) == 1 and not kwargs and callable(args[0])
        return args[0] if decorates else _Anything()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name == "get_current_target":
            raise RuntimeError(
                "no triton driver"
            )  # what SGLang catches to learn that there is no GPU
        return _Anything()

    def __getitem__(self, _: Any) -> Any:
        return _Anything()

    def __class_getitem__(cls, _: Any) -> Any:
        return cls

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        return ()

    def __or__(self, _: Any) -> Any:
        return self

    __ror__ = __or__

    def __bool__(self) -> bool:
        return False


class _AnyClass(type):
    """A class that stands for any class: its unknown attributes are anything."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _Anything()


class _AnyModule(types.ModuleType):
    """A module with every attribute; capitalised ones are classes: SGLang inherits from some."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        value = _AnyClass(name, (_Anything,), {}) if name[:1].isupper() else _Anything()
        setattr(self, name, value)
        return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for every module in `_NAMES`, whether or not the real one is installed."""

    def find_spec(
        self, fullname: str, path: Any, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        return (
            importlib.machinery.ModuleSpec(fullname, self, is_package=True)
            if _is_named(fullname)
            else None
        )

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = _AnyModule(spec.name)
        module.__dict__["__version__"] = "3.5.0"  # of triton, which SGLang compares
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _is_named(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in _NAMES for length in range(1, len(parts) + 1))


@contextmanager
def present() -> Iterator[None]:
    """Within the block stand-ins are imported, even in place of real modules.

    After it nothing is left of them.
    """
    importlib.import_module("torch")  # before, so that it binds no stand-in
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_named(name)}
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_named(name)]:
            del sys.modules[name]
        sys.modules.update(hidden)


def add_hollow(name: str, folder: Path) -> None:
    """Register a package of SGLang without running its ``__init__``.

    Its submodules are found; every other name in it is anything.
    """
    module = _AnyModule(name)
    path = str(folder.joinpath(*name.split(".")))
    spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [path]
    module.__dict__.update(__spec__=spec, __path__=[path], __version__="0")
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)

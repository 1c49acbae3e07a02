"""The versions that a finding was made with."""

from __future__ import annotations

import platform
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from radixproof import __version__
from radixproof.impl.sglang import store
from radixproof.properties.reporting.versions import sglang_release, versions


def test_our_own_cache_is_of_our_own_version() -> None:
    named = versions("radix")
    assert named["radixproof"] == __version__
    assert platform.python_version() in named["Python"]
    assert named["torch"] == torch.__version__
    assert len(named) == 3


def test_a_release_is_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(iter(versions("sglang==0.5.13").items())) == ("SGLang", "0.5.13")
    monkeypatch.setattr(store, "installed_version", lambda: "0.5.14")
    assert versions("sglang")["SGLang"] == "0.5.14"
    assert sglang_release("sglang-like:target") is None


def test_a_cache_in_a_package_is_named_with_its_version() -> None:
    assert versions("pytest:target")["pytest"] == metadata.version("pytest")
    assert "no_such_module" not in versions("no_such_module:target")


def test_a_package_that_offers_a_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(**_: Any) -> list[SimpleNamespace]:
        return [SimpleNamespace(dist=SimpleNamespace(name="their-cache", version="1.2"))]

    monkeypatch.setattr(metadata, "entry_points", offered)
    assert versions("theirs")["their-cache"] == "1.2"

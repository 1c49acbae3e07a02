"""A pytest plugin that runs tests of SGLang's cache on a release from the store, without a GPU.

``pytest -p radixproof.impl.sglang.plugin --sglang 0.5.12.post1 test_x.py`` imports that release, as
`shim` does, before it collects the tests. Their own imports of SGLang then find it, as far as
`shim` has imported it. Without ``--sglang`` it does nothing.
"""

from __future__ import annotations

import pytest

from radixproof.impl.sglang import shim, store
from radixproof.impl.system import Unavailable


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sglang",
        metavar="VERSION",
        help="run the tests on this release of SGLang, on the CPU "
        "(prepare it with 'radixproof systems add sglang==VERSION')",
    )


def pytest_configure(config: pytest.Config) -> None:
    version = config.getoption("--sglang")
    if version is None:
        return
    try:
        config.add_cleanup(shim.on_cpu(store.locate(version)))
    except Unavailable as error:
        raise pytest.UsageError(f"--sglang: {error}") from error


def pytest_report_header(config: pytest.Config) -> str | None:
    version = config.getoption("--sglang")
    return (
        None if version is None else f"sglang: {version}, its copies run by radixproof on the CPU"
    )

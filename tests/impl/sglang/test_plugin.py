"""The pytest plugin that runs tests on a release from the store."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.paste.render import render

from ...own_process import completed
from .paste.findings import files

OLD = "0.5.12.post1"


def run_pytest(folder: Path, *arguments: str) -> CompletedProcess[str]:
    plugins = ["-p", "no:cacheprovider", "-p", "radixproof.impl.sglang.plugin"]
    return completed("pytest", *plugins, *arguments, cwd=folder)


@pytest.mark.slow
def test_a_release_that_is_not_prepared_is_a_usage_error(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, "--sglang", "0.5.0")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert [
        line
        for line in result.stderr.splitlines()
        if line.startswith("ERROR: --sglang: SGLang 0.5.0 is not prepared")
    ]
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_without_the_option_the_plugin_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_it():\n    assert 'sglang' not in sys.modules\n"
    )
    result = run_pytest(tmp_path)
    assert result.returncode == 0, result.stdout
    assert "sglang:" not in result.stdout


@pytest.mark.slow
@pytest.mark.sglang
def test_a_gpu_of_the_machine_is_not_used(tmp_path: Path) -> None:
    if OLD not in store.prepared():
        pytest.skip(f"SGLang {OLD} is not prepared: run 'radixproof systems add sglang=={OLD}'")
    (tmp_path / "conftest.py").write_text(
        "import torch\n\ntorch.cuda.is_available = lambda: True\n"
    )
    (tmp_path / "test_it.py").write_text(render(*files()["innocent"], OLD))
    result = run_pytest(tmp_path, "--sglang", OLD)
    assert result.returncode == 0, result.stdout
    assert f"sglang: {OLD}" in result.stdout

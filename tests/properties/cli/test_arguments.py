"""What arguments stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.impl.operations import History
from radixproof.model.config import Config
from radixproof.properties.cli import history_file
from radixproof.properties.cli.arguments import in_tree
from radixproof.properties.cli.exit_codes import UsageError


def test_a_path_says_what_sglang_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_tree("sglang", Path("python")) == f"sglang@{tmp_path.resolve()}/python"
    assert in_tree("sglang+rust", tmp_path) == f"sglang@{tmp_path.resolve()}+rust"
    assert in_tree("radix", None) == "radix"
    with pytest.raises(UsageError, match="--path is a source tree of SGLang: radix is none"):
        in_tree("radix", tmp_path)


def test_a_file_does_not_choose_a_source_tree() -> None:
    history = History(Config(), (), {"system": "sglang@/somewhere"})
    with pytest.raises(UsageError, match="this history was found in sglang@/somewhere, which is"):
        history_file.system(history, None)
    assert history_file.system(history, "radix") == "radix"
    assert history_file.system(history, None, Path("/there")) == "sglang@/there"

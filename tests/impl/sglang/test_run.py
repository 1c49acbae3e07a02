"""Scripts with SGLang's own calls, run on a release from the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from radixproof.impl.sglang import store
from radixproof.impl.sglang.run import main

from ...own_process import completed
from ...releases import again

SCRIPT = """
import sys
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.environ import envs
from sglang.srt.managers.cache_controller import threading

assert __name__ == "__main__"
print(sys.argv, envs.SGLANG_UNIFIED_RADIX_TREE_CORE_BACKEND.get())
done = []
thread = threading.Thread(target=done.append, args=["as SGLang's threads do"])
thread.start()
thread.join()
print(*done)
sys.exit(f"it ends with {CacheInitParams.__name__}")
"""


@pytest.mark.slow
@pytest.mark.sglang
@pytest.mark.parametrize(("release", "core"), [again("0.5.23", "python"), ("0.5.23+rust", "rust")])
def test_a_script_runs_as_with_python_on_the_core_that_is_named(
    release: str, core: str, tmp_path: Path
) -> None:
    if "0.5.23" not in store.prepared():
        pytest.skip("run 'radixproof systems add sglang==0.5.23'")
    (tmp_path / "script.py").write_text(SCRIPT)
    done = completed("radixproof.impl.sglang.run", release, "script.py", cwd=tmp_path)
    assert done.stdout == f"['script.py'] {core}\nas SGLang's threads do\n"
    assert done.stderr == "it ends with CacheInitParams\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["0.5.0", __file__], "SGLang 0.5.0 is not prepared"),
        (["newest", __file__], "'newest' is not a version number"),
        (["0.5.23", "no/such/file.py"], "there is no file no/such/file.py"),
    ],
)
def test_a_mistake_gets_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert said in capsys.readouterr().err

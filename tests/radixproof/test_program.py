"""The program as a process: interrupted at any moment, and with streams of every kind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radixproof.impl.operations import Evict, History, Insert
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.histories.history_json import to_json

from ..releases import again

LOST = History(
    Config(window=1, swa_pages=8, swa_host_pages=16), (Insert(Key((1, 2)), evicted=1), Evict(1))
)
INTERRUPTED = "radixproof: interrupted\n"

AT_AN_IMPORT = """
import os, sys
class Interrupting:
    "Sends a signal to this process when a module is about to be imported."
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), int(number))
module, number = sys.argv[1:3]
del sys.argv[1:3]
sys.meta_path.insert(0, Interrupting())
from radixproof.program import main
sys.exit(main())
"""

EVERY_IMPORT = """
import sys
class Noting:
    def find_spec(self, name, path=None, target=None):
        print("imports", name, file=sys.stderr)
sys.meta_path.insert(0, Noting())
from radixproof.program import main
sys.exit(main())
"""


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    (tmp_path / "lost.json").write_text(to_json(LOST), encoding="utf-8")
    return tmp_path / "lost.json"


def ended(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """How a Python process with these arguments ends."""
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=120,
    )


# -- interruptions -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, again(signal.SIGTERM)])
@pytest.mark.parametrize(
    "module",
    [
        "radixproof.properties",
        "radixproof.properties.cli.main",
        "argparse",
        "msgspec",
        "radixproof.properties.reporting.narrate",
        "radixproof.properties.workers.replaying",
        "multiprocessing.popen_spawn_posix",
    ],
)
def test_an_interruption_while_something_is_imported_is_one_line(
    module: str, number: int, lost: Path
) -> None:
    ran = ended("-c", AT_AN_IMPORT, module, str(int(number)), "replay", str(lost))
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", INTERRUPTED)


@pytest.mark.torture(all=300, share=2)
def test_an_interruption_at_any_import_is_one_line(lost: Path, cases: range) -> None:
    """One after the other: all that is imported after the program has begun, spread evenly."""
    ran = ended("-c", EVERY_IMPORT, "replay", str(lost))
    names = re.findall("^imports (.*)$", ran.stderr, re.MULTILINE)
    modules = list(dict.fromkeys(names[names.index("signal") + 1 :]))
    chosen = modules[:: max(1, len(modules) // len(cases))]
    assert len(modules) > 250
    for module in chosen:
        ran = ended("-c", AT_AN_IMPORT, module, str(int(signal.SIGINT)), "replay", str(lost))
        assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", INTERRUPTED), module


IN_A_DESTRUCTOR = """
import os, sys, radixproof.program
class Interrupting:
    def __del__(self):
        os.kill(os.getpid(), 2)
        for _ in range(1_000):
            pass
def main():
    Interrupting()
    return 0
import radixproof.properties.cli.main
radixproof.properties.cli.main.main = main
sys.exit(radixproof.program.main())
"""


def test_an_interruption_where_python_lets_no_exception_through_is_not_lost() -> None:
    ran = ended("-c", IN_A_DESTRUCTOR)
    assert (ran.returncode, ran.stderr) == (3, INTERRUPTED)


IN_THE_LAST_MOMENT = """
import atexit, os, sys, radixproof.program
atexit.register(os.kill, os.getpid(), 2)
atexit.register(os.kill, os.getpid(), 15)
sys.argv[1:] = ["faults"]
sys.exit(radixproof.program.main())
"""


def test_an_interruption_after_the_end_changes_nothing() -> None:
    ran = ended("-c", IN_THE_LAST_MOMENT)
    assert (ran.returncode, ran.stderr) == (0, "")


IGNORING = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(subprocess.call([sys.executable, "-c", *sys.argv[1:]]))
"""


def test_a_job_that_was_told_to_ignore_interruptions_ignores_them(lost: Path) -> None:
    ran = ended("-c", IGNORING, AT_AN_IMPORT, "argparse", "2", "faults")
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.torture(all=100, share=3)
def test_a_check_that_is_interrupted_together_with_its_processes_has_no_traceback(
    cases: range, tmp_path: Path
) -> None:
    """Ctrl-C goes to every process of the terminal, also to those that have just been started."""
    for number in cases:
        command = [sys.executable, "-m", "radixproof", "check", "radix", "--profile", "nightly"]
        with subprocess.Popen(
            [*command, "--out", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as running:
            # From the moment at which its process is started, until it searches.
            while not any(tmp_path.iterdir()) and not _children(running.pid):
                assert running.poll() is None, running.communicate()[0]
                time.sleep(0.01)
            time.sleep((number * 0.37) % 3)
            os.killpg(running.pid, signal.SIGINT)
            printed, _ = running.communicate(timeout=60)
        assert running.returncode == 3
        assert "Traceback" not in printed, printed[-3000:]
        assert "interrupted" in printed


def _children(process: int) -> list[str]:
    """Processes that were started by a process, as far as the system tells."""
    try:
        return Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return ["unknown"]


# -- streams -------------------------------------------------------------------------------------

NOT_PRINTED = "radixproof: nothing can be printed: the output is closed\n"


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        ("faults >&-", 3, NOT_PRINTED),
        ("--help >&-", 3, NOT_PRINTED),
        ("faults > /dev/full", 3, "radixproof: No space left on device\n"),
        ("--help > /dev/full", 3, "radixproof: No space left on device\n"),
        ("faults <&-", 0, ""),
        ("faults 2>&-", 0, ""),
        ("faults >&- 2>&-", 3, ""),
        ("check no-such-system 2>&-", 2, ""),
        ("check no-such-system 2> /dev/full", 2, ""),
        ("check no-such-system >&- 2> /dev/full", 3, ""),
        ("faults | true; exit ${PIPESTATUS[0]}", 3, ""),
    ],
)
def test_streams_that_are_closed_or_full(
    redirected: str, code: int, said: str, tmp_path: Path
) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m radixproof {redirected}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    assert (ran.returncode, ran.stderr) == (code, said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        again({"PYTHONIOENCODING": "ascii"}),
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C"},
    ],
    ids=["ascii streams", "ascii files, too", "C"],
)
def test_what_cannot_be_shown_is_shown_by_its_number(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    toy = ("--system", "toy_adapter:target")
    history = History(Config(host_pages=0), (Insert(Key((1, 2), "é")),), {"x": "\u2028"})
    (tmp_path / "é.json").write_text(to_json(history), encoding="utf-8")
    ran = ended("-m", "radixproof", "replay", str(tmp_path / "é.json"), *toy, **environment)
    assert ran.returncode == 3, "the toy has no namespaces"
    assert "insert \\xe9:[1 2]" in ran.stdout or "insert é:[1 2]" in ran.stdout
    out = str(tmp_path / "é-smaller.json")
    shrink = ("shrink", str(tmp_path / "é.json"), *toy, "--out", out)
    ran = ended("-m", "radixproof", *shrink, **environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    ran = ended("-m", "radixproof", "replay", str(tmp_path / "nö.json"), **environment)
    assert ran.returncode == 2
    assert ran.stderr.startswith("radixproof: cannot read ")


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; {sys.executable} -m radixproof check radix"
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))},
    )
    assert ran.returncode == 3
    assert ran.stderr == (
        "radixproof: the current folder does not exist any more: change to another one\n"
    )


def test_without_a_home_folder_there_is_a_sentence() -> None:
    ran = ended("-m", "radixproof", "check", "sglang==0.5.19", RADIXPROOF_HOME="~no-such-user/x")
    assert ran.returncode == 3
    (line,) = ran.stderr.splitlines()
    assert "there is no home folder" in line
    assert "set RADIXPROOF_HOME" in line

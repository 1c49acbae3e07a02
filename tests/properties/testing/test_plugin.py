"""The pytest plugin, in pytest runs of its own."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ...own_process import completed
from ...releases import AGAIN

pytestmark = pytest.mark.slow

INSTALLED = bool(entry_points(group="pytest11", name="radixproof"))
PLUGIN = [] if INSTALLED else ["-p", "radixproof.properties.testing.plugin"]
TOYS = Path(__file__).resolve().parents[3] / "examples" / "own_cache"
GOOD, BAD = "toy_adapter:target", "toy_bugs:split"
CHECK = "def test_it(radix_check):\n    radix_check()\n"
SHORT = """
from radixproof.properties.search.budget import PROFILES, Budget
PROFILES["dev"] = Budget(steps=400, examples=10)
"""
"""A ``conftest.py`` with which checks are over soon."""
MACHINE = f"""
import hypothesis
import radixproof
hypothesis.settings.load_profile("default")  # in CI, Hypothesis takes one without a database
TestCache = radixproof.state_machine(radixproof.find("{BAD}")).TestCase
"""


class Ran:
    """A pytest run that is over."""

    def __init__(self, code: int, said: str) -> None:
        self.code, self.said = code, said

    @property
    def summary(self) -> list[str]:
        """The lines under ``radixproof``, at its end."""
        lines = self.said.splitlines()
        (start,) = [at for at, line in enumerate(lines) if line.strip("= ") == "radixproof"]
        ended = next(at for at, line in enumerate(lines) if at > start and line.startswith("="))
        return [line for line in lines[start + 1 : ended] if line]


class Runner:
    """Runs pytest on a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "conftest.py").write_text(SHORT)

    def __call__(self, source: str, *arguments: str) -> Ran:
        (self.folder / "test_it.py").write_text(source)
        ran = completed(
            "pytest",
            *PLUGIN,
            "-p",
            "no:cacheprovider",
            "-o",
            f"pythonpath={TOYS}",
            *arguments,
            "test_it.py",
            cwd=self.folder,
        )
        return Ran(ran.returncode, ran.stdout + ran.stderr)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setenv("COLUMNS", "200")
    return Runner(tmp_path)


def test_one_line_is_a_whole_check_of_each_system_that_is_named(run: Runner) -> None:
    ran = run(CHECK, f"--radix-system={GOOD}", f"--radix-system={BAD}", "--radix-seed=2")
    assert ran.code == 1
    assert f"radixproof: {GOOD}, {BAD}; profile dev, seed 2" in ran.said
    assert f"test_it.py::test_it[{BAD}]" in ran.said
    assert "1 failed, 1 passed" in ran.said
    assert "LOCK/full-too-few in " in ran.said
    assert "Traceback" not in ran.said
    clean, found, *_ = ran.summary
    assert clean.startswith(f"{GOOD}: ")
    assert "steps in" in clean
    assert found.startswith(f"{BAD}: ")
    assert "finding" in found
    assert list((run.folder / "findings").rglob("history.json"))


def test_a_state_machine_shows_its_report_and_nothing_else(run: Runner) -> None:
    ran = run(MACHINE, "--hypothesis-seed=1", "--junit-xml=result.xml", "--radix-out=kept")
    assert ran.code == 1
    _, _, failure = ran.said.partition("TestCache.runTest")
    assert failure.splitlines()[1].startswith(f"LOCK/full-too-few in {BAD}")
    for unwanted in ("Traceback", "properties/testing", "dice", "b'", "state.insert"):
        assert unwanted not in failure
    assert ran.summary == [f"{BAD}: LOCK/full-too-few: 3 operations, found by the state machine"]
    (history,) = (run.folder / "kept").rglob("history.json")
    properties = {
        each.get("name"): each.get("value")
        for each in ElementTree.parse(run.folder / "result.xml").iter("property")
    }
    assert properties["radixproof.system"] == BAD
    assert properties["radixproof.signature"] == "LOCK/full-too-few"
    assert str(history.relative_to(run.folder)) in str(properties["radixproof.replay"])


def test_the_second_run_of_a_state_machine_begins_with_what_failed(run: Runner) -> None:
    """Not after one with ``--hypothesis-seed``: Hypothesis keeps nothing of that."""
    first = run(MACHINE)
    again = run(MACHINE, "--hypothesis-show-statistics")
    assert (first.code, again.code) == (1, 1)
    assert "reuse phase" in again.said
    assert first.summary == again.summary


def test_a_marker_names_systems_and_the_command_line_goes_before_it(run: Runner) -> None:
    marked = f'import pytest\n@pytest.mark.radix("{BAD}", seed=7)\n{CHECK}'
    ran = run(marked)
    assert ran.code == 1
    assert "seed 7)" in ran.summary[0]
    ran = run(marked, f"--radix-system={GOOD}", "--radix-seed=3")
    assert ran.code == 0
    assert ran.summary[0].startswith(f"{GOOD}: ")
    assert "seed 3)" in ran.summary[0]


def test_of_two_markers_the_closest_counts_for_what_it_says(run: Runner) -> None:
    ran = run(
        "import pytest\n"
        "@pytest.mark.radix(seed=7, profile='ci')\n"
        "class TestIt:\n"
        f"    @pytest.mark.radix('{BAD}', profile='dev')\n"
        "    def test_it(self, radix_check):\n        radix_check()\n"
    )
    assert ran.code == 1
    assert ran.summary[0].startswith(f"{BAD}: ")
    assert "seed 7)" in ran.summary[0]


def test_a_check_that_is_no_argument_is_of_the_system_that_is_named(run: Runner) -> None:
    late = "def test_it(request):\n    request.getfixturevalue('radix_check')()\n"
    ran = run(late, f"--radix-system={BAD}")
    assert ran.code == 1
    assert ran.summary[0].startswith(f"{BAD}: ")
    ran = run(late, f"--radix-system={BAD}", f"--radix-system={GOOD}")
    assert ran.code == 1
    assert "a test is about one at a time" in ran.said


def test_what_is_known_is_passed_over(run: Runner) -> None:
    found = run(CHECK, f"--radix-system={BAD}", "--radix-out=found")
    assert found.code == 1
    histories = map(Path.read_text, (run.folder / "found").rglob("history.json"))
    signatures = {json.loads(history)["origin"]["signature"] for history in histories}
    entries = (f'[[finding]]\nsignature = "{one}"\nreason = "planted"\n' for one in signatures)
    (run.folder / "known.toml").write_text("\n".join(entries))
    ran = run(CHECK, f"--radix-system={BAD}", "--radix-known=known.toml")
    assert ran.code == 0, ran.said
    assert "known finding" in ran.summary[0]


def test_a_check_that_saw_too_little_fails_and_says_so(run: Runner) -> None:
    ran = run(CHECK, "--radix-system=radix", "--radix-profile=ci", "--radix-seconds=0.5")
    assert ran.code == 1
    assert "not searched enough: " in ran.said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--radix-system=radx"], "no system is called"),
        (["--radix-known=nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_mistake_is_a_sentence(run: Runner, arguments: list[str], sentence: str) -> None:
    ran = run(CHECK, *arguments)
    assert ran.code == 1
    assert sentence in ran.said
    assert "Traceback" not in ran.said


@AGAIN
def test_workers_of_xdist_tell_what_they_checked(run: Runner) -> None:
    ran = run(CHECK, "-n2", f"--radix-system={GOOD}", f"--radix-system={BAD}")
    assert ran.code == 1
    assert len([line for line in ran.summary if line.startswith((GOOD, BAD))]) == 2


def test_a_run_without_checks_says_nothing(run: Runner) -> None:
    ran = run("def test_it():\n    pass\n")
    assert ran.code == 0
    assert "radixproof:" not in ran.said

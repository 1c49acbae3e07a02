"""Releases of SGLang on disk: fetched as wheels, unpacked side by side, never installed.

SGLang's dependencies are not fetched: `stand_ins` take the place of the heavy ones. The folder is
``$RADIXPROOF_HOME``, or ``radixproof`` under ``$XDG_CACHE_HOME`` or ``~/.cache``. Each release has
a folder ``systems/sglang-X`` in it, which appears in one step when it is complete.
"""

from __future__ import annotations

import csv
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from radixproof.impl.system import Unavailable

_VERSION = re.compile(r"\d+(\.\d+)+((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?")
_PREFIX = "sglang-"
_TREE = Path("sglang", "srt", "mem_cache", "unified_radix_cache.py")
"""What a release must contain to be usable here."""


class Release(NamedTuple):
    """A release that can be imported."""

    version: str
    folder: Path | None
    """Where its wheel was unpacked; None if it is installed in this environment."""


def home() -> Path:
    """The folder that everything fetched is kept in; it need not exist yet."""
    if own := os.environ.get("RADIXPROOF_HOME"):
        return Path(own).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "radixproof"


def is_version(text: str) -> bool:
    """Whether the text is a version number, of whatever release."""
    return _VERSION.fullmatch(text) is not None


def check_version(version: str) -> str:
    """The version itself. Raises `Unavailable` for any other text: only versions ever reach pip."""
    if not is_version(version):
        raise Unavailable(f"{version!r} is not a version number of SGLang, such as 0.5.13.post1")
    return version


def version_key(version: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Orders versions by the numbers of the release, then by those after ``.post``.

    Pre-releases come before their release.
    """
    numbers = re.match(r"[\d.]+\d", version)
    release = numbers.group() if numbers else "0"
    rest = version[len(release) :]
    sign = 1 if rest.startswith(".post") else -1 if rest else 0
    return tuple(map(int, release.split("."))), (sign, *map(int, re.findall(r"\d+", rest)))


def installed_version() -> str | None:
    """The version of the SGLang installed in this environment, None if there is none.

    It is not imported for that.
    """
    try:
        return importlib.metadata.version("sglang")
    except importlib.metadata.PackageNotFoundError:
        return None


def prepared() -> list[str]:
    """Versions in the store, oldest first."""
    try:
        names = [
            entry.name.removeprefix(_PREFIX)
            for entry in _systems().iterdir()
            if entry.name.startswith(_PREFIX)
        ]
    except OSError:
        return []
    return sorted((name for name in names if _is_complete(_folder(name))), key=version_key)


def locate(version: str) -> Release:
    """Where to import a version from; SGLang as installed is preferred if it is that version.

    Raises `Unavailable` if the version is in neither place, or damaged.
    """
    check_version(version)
    if installed_version() == version:
        return Release(version, None)
    folder = _folder(version)
    if _is_complete(folder):
        return Release(version, folder)
    advice = f"run 'radixproof systems add sglang=={version}'"
    if folder.exists():
        raise Unavailable(f"files of SGLang {version} are missing or cut short: {advice} again")
    known = prepared()
    others = f"; prepared are {', '.join(known)}" if known else ""
    raise Unavailable(f"SGLang {version} is not prepared on this machine: {advice}{others}")


def add(version: str, progress: Callable[[str], None]) -> Path:
    """Fetch the wheel of a version and unpack it into the store; returns its folder.

    ``progress`` gets a plain line per stage. Raises `Unavailable` if that cannot be done, which
    leaves the store as it was, as does an interruption. What is damaged is fetched again.
    """
    folder = _folder(check_version(version))
    if _is_complete(folder):
        progress(f"SGLang {version} is already prepared")
        return folder
    if importlib.util.find_spec("pip") is None:
        raise Unavailable(
            f"fetching SGLang {version} needs pip, which {sys.executable} does not have"
        )
    try:
        with _workplace(version) as work:
            progress(f"fetching the wheel of SGLang {version}")
            wheel = _download(version, work)
            progress(f"unpacking {wheel.name}")
            _unpack(wheel, work / "release")
            _publish(work / "release", folder)
    except OSError as error:
        raise _not_writable(error) from error
    progress(f"SGLang {version} is ready in {folder}")
    return folder


def _systems() -> Path:
    return home() / "systems"


def _folder(version: str) -> Path:
    return _systems() / f"{_PREFIX}{version}"


def _is_complete(folder: Path) -> bool:
    """Whether every file is there, as long as the wheel's own list of files says."""
    if not (folder / _TREE).is_file():
        return False
    try:
        (listing,) = folder.glob("*.dist-info/RECORD")
        with listing.open(newline="", encoding="utf-8") as lines:
            sizes = {name: int(size) for name, _, size in csv.reader(lines) if size}
        return all(os.path.getsize(f"{folder}/{name}") == sizes[name] for name in sizes)
    except (OSError, ValueError):
        return False


@contextmanager
def _workplace(version: str) -> Iterator[Path]:
    """A folder in the store that is gone after the block, or else with the next call of `add`.

    Whoever works in such a folder holds a lock on it, which ends with the process at the latest.
    """
    _systems().mkdir(parents=True, exist_ok=True)
    with ExitStack() as until_the_end:
        with _locked(_systems(), wait=True):
            for left_over in _systems().glob(f".{_PREFIX}*"):
                with suppress(OSError), _locked(left_over, wait=False):
                    shutil.rmtree(left_over, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}{version}-", dir=_systems()))
            until_the_end.callback(shutil.rmtree, work, ignore_errors=True)
            until_the_end.enter_context(_locked(work, wait=False))
        yield work


@contextmanager
def _locked(folder: Path, wait: bool) -> Iterator[None]:
    """Within the block no other process has this lock; raises `OSError` if it cannot be taken."""
    import fcntl  # POSIX only, as SGLang is

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _not_writable(error: OSError) -> Unavailable:
    reason = error.strerror or str(error)
    return Unavailable(
        f"cannot write to {home()} ({reason}): "
        "set RADIXPROOF_HOME to a folder that can be written to"
    )


def _download(version: str, into: Path) -> Path:
    """Let pip fetch the wheel and nothing else: it knows the user's index and proxy."""
    options = [
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--retries=2",
    ]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        *options,
        f"--dest={into}",
        f"sglang=={version}",
    ]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if result.returncode != 0:
        raise Unavailable(_why(version, result.stdout + "\n" + result.stderr))
    wheels = sorted(into.glob("*.whl"))
    if len(wheels) != 1:
        raise Unavailable(
            f"pip reported success but left {len(wheels)} wheels for SGLang {version}"
        )
    return wheels[0]


def _why(version: str, output: str) -> str:
    """One sentence that says what pip's output means."""
    offered = re.search(r"from versions: ([^)]*)\)", output)
    if offered and offered.group(1) != "none":
        newest = ", ".join(offered.group(1).split(", ")[-3:])
        return (
            f"pip finds no wheel of SGLang {version} for this Python and platform; "
            f"the newest that it finds are {newest}"
        )
    if re.search(
        r"connection|Retrying|timed out|Temporary failure|SSLError|ProxyError",
        output,
        re.IGNORECASE,
    ):
        return (
            f"pip cannot reach a package index to fetch SGLang {version} from: "
            "check the network or pip's index settings"
        )
    if offered:
        return (
            f"pip finds no SGLang {version}: check pip's index settings; "
            "there may also be no wheel of it for this Python or platform"
        )
    errors = [line.strip() for line in output.splitlines() if line.strip()]
    last = errors[-1].removeprefix("ERROR: ") if errors else "it said nothing"
    return f"pip could not fetch SGLang {version}: {last}"


def _unpack(wheel: Path, into: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(into)
    except zipfile.BadZipFile as error:
        raise Unavailable(
            f"{wheel.name} as fetched by pip is not a readable wheel ({error})"
        ) from error
    if not (into / _TREE).is_file():
        raise Unavailable(
            f"{wheel.name} has no {_TREE.name}: the release is too old, or too new, to be driven"
        )
    if not _is_complete(into):
        raise Unavailable(f"{wheel.name} as fetched by pip lacks files that it says it has")


def _publish(complete: Path, folder: Path) -> None:
    """Give a complete folder its final name in one step, in place of a damaged one.

    Another process that was faster has fetched the same wheel.
    """
    if folder.exists() and not _is_complete(folder):
        folder.rename(complete.with_name("damaged"))
    try:
        complete.rename(folder)
    except OSError:
        if not _is_complete(folder):
            raise

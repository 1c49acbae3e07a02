"""Releases of SGLang on disk: fetched as wheels, unpacked side by side, never installed.

SGLang's dependencies are not fetched: `stand_ins` take the place of the heavy ones. The folder is
``$RADIXPROOF_HOME``, or ``radixproof`` under ``$XDG_CACHE_HOME`` or ``~/.cache``. Each release has
a folder ``systems/sglang-X`` in it, which appears in one step when it is complete, and goes in one.

What is being made or removed has a name that begins with a dot. Its folder is locked, by a lock
that ends with the process at the latest: what is not locked was left over, and goes with the next
call that changes the store.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from radixproof.impl.sglang.fetching import TREE, check_pip, fetch
from radixproof.impl.sglang.wheel_record import damage
from radixproof.impl.system import Unavailable

_VERSION = re.compile(
    r"N(\.N){1,5}((a|b|rc)N)?(\.postN)?(\.devN)?".replace("N", "[0-9]{1,9}"),
)
_PREFIX = "sglang-"
UNKNOWN = "of unknown version"
"""Stands for the version of a source tree that does not say it."""


class Release(NamedTuple):
    """A release that can be imported."""

    version: str
    folder: Path | None
    """Where its wheel was unpacked; None if it is installed in this environment."""
    is_source: bool = False
    """The folder is somebody's source tree: nobody has released it, and it may change."""

    @property
    def fetched(self) -> Path | None:
        """The folder, if what is in it must be as it was released."""
        return None if self.is_source else self.folder


def home() -> Path:
    """The folder that everything fetched is kept in; it need not exist yet.

    Raises `Unavailable` if it depends on a home folder, and there is none.
    """
    own = os.environ.get("RADIXPROOF_HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(own).expanduser() if own else Path(cache).expanduser() / "radixproof"
    except RuntimeError:
        raise Unavailable(
            f"there is no home folder to keep releases in ({own or cache}):"
            " set RADIXPROOF_HOME to a folder that can be written to"
        ) from None


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
    """Versions in the store that can be used, oldest first."""
    return [version for version in _present() if damage(_folder(version)) is None]


def damaged() -> dict[str, str]:
    """Versions in the store that cannot be used, oldest first, and why."""
    found = {version: damage(_folder(version)) for version in _present()}
    return {version: why for version, why in found.items() if why is not None}


def locate(version: str) -> Release:
    """Where to import a version from; SGLang as installed is preferred if it is that version.

    Raises `Unavailable` if the version is in neither place, or damaged.
    """
    check_version(version)
    if installed_version() == version:
        return Release(version, None)
    folder = _folder(version)
    if not _exists(folder):
        known = prepared()
        others = f"; prepared are {', '.join(known)}" if known else ""
        raise Unavailable(
            f"SGLang {version} is not prepared on this machine:"
            f" run 'radixproof systems add sglang=={version}'{others}"
        )
    if wrong := damage(folder):
        raise Unavailable(told_damaged(version, wrong))
    return Release(version, folder)


def source_tree(folder: Path) -> Release:
    """A source tree of SGLang: the folder with ``sglang`` in it, or a checkout with that in
    ``python``.

    Its version is `UNKNOWN` if no build has written it down. Raises `Unavailable` if it is no such
    folder.
    """
    for root in (folder, folder / "python"):
        if (root / TREE).is_file():
            return Release(_version_of(root), root.resolve(), is_source=True)
    raise Unavailable(
        f"there is no SGLang in {folder}: a source tree has {TREE} in it, as CHECKOUT/python does"
    )


def _version_of(root: Path) -> str:
    """The version that a build has written into a source tree."""
    with suppress(OSError, UnicodeDecodeError):
        text = (root / "sglang" / "_version.py").read_text(encoding="utf-8")
        if found := re.search(r"^__version__ = (?:version = )?['\"]([^'\"+]+)", text, re.MULTILINE):
            return found.group(1)
    return UNKNOWN


def told_damaged(version: str, wrong: str) -> str:
    """What is wrong with a release in the store, and what to do about it."""
    return (
        f"SGLang {version} in {_systems()} is damaged: {wrong}; to fetch it anew, run"
        f" 'radixproof systems add sglang=={version}'"
    )


def verify(version: str) -> None:
    """Compare every file of a version in the store with what was released.

    Raises `Unavailable` if one differs, or if the version is not there.
    """
    folder = locate(check_version(version)).folder
    if folder is None:
        raise Unavailable(f"SGLang {version} is installed in this environment, not by radixproof")
    if wrong := damage(folder, content=True):
        raise Unavailable(told_damaged(version, wrong))


def add(version: str, progress: Callable[[str], None], force: bool = False) -> Path:
    """Fetch the wheel of a version and unpack it into the store; returns its folder.

    What is there already is compared with what was released, and fetched again only if it is
    damaged, or with ``force``. ``progress`` gets a plain line per stage. Raises `Unavailable` if
    that cannot be done, which leaves the store as it was, as does an interruption.
    """
    folder = _folder(check_version(version))
    if _exists(folder) and not force:
        wrong = damage(folder, content=True)
        if wrong is None:
            progress(f"SGLang {version} is already prepared")
            return folder
        progress(f"SGLang {version} is damaged: {wrong}")
    check_pip(version)
    try:
        with _workplace(version) as work:
            _publish(fetch(version, work, progress), folder, force)
    except OSError as error:
        raise _not_writable(error) from error
    progress(f"SGLang {version} is ready in {folder}")
    return folder


def remove(version: str) -> None:
    """Take a version out of the store, damaged or not. It is gone in one step.

    Raises `Unavailable` if it is not there, or cannot be removed.
    """
    folder = _folder(check_version(version))
    try:
        with _workplace(version) as work:
            folder.rename(work / "removed")
    except FileNotFoundError:
        raise Unavailable(f"SGLang {version} is not in {_systems()}") from None
    except OSError as error:
        raise _not_writable(error) from error


def clean() -> None:
    """Remove what commands that were killed have left, as far as that can be done."""
    with suppress(OSError), _locked(_systems(), wait=True):
        _remove_left_overs()


def _systems() -> Path:
    return home() / "systems"


def _folder(version: str) -> Path:
    return _systems() / f"{_PREFIX}{version}"


def _exists(folder: Path) -> bool:
    """Whether there is anything of this name. Raises `Unavailable` if that cannot be told."""
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Unavailable(f"cannot read {folder}: {error.strerror}") from None
    return True


def _present() -> list[str]:
    """Versions in the store, oldest first, whatever state they are in."""
    try:
        names = [entry.name for entry in _systems().iterdir()]
    except (OSError, Unavailable):
        return []
    versions = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    return sorted(filter(is_version, versions), key=version_key)


@contextmanager
def _workplace(version: str) -> Iterator[Path]:
    """A folder in the store that is gone after the block, or else is left over."""
    _systems().mkdir(parents=True, exist_ok=True)
    with ExitStack() as until_the_end:
        with _locked(_systems(), wait=True):
            _remove_left_overs()
            work = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}{version}-", dir=_systems()))
            until_the_end.callback(shutil.rmtree, work, ignore_errors=True)
            until_the_end.enter_context(_locked(work, wait=False))
        yield work


def _remove_left_overs() -> None:
    """The folders of work that nobody is at. The store is locked, so that none comes meanwhile."""
    for left_over in _systems().glob(f".{_PREFIX}*"):
        with suppress(OSError), _locked(left_over, wait=False):
            shutil.rmtree(left_over, ignore_errors=True)


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


def _publish(complete: Path, folder: Path, force: bool) -> None:
    """Give a complete folder its final name in one step, in place of one that is damaged, or to be
    replaced.

    Another process that was faster has fetched the same wheel.
    """
    with _locked(_systems(), wait=True):
        if _exists(folder):
            if not force and damage(folder, content=True) is None:
                return
            folder.rename(complete.with_name("replaced"))
        complete.rename(folder)

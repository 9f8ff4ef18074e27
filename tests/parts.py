"""Programs of the operating system that tests run for real: found, or installed from Debian's packages.

Never a skip: without the package the test fails and names it.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/lib/softhsm", "/usr/local/bin", "/usr/local/sbin")
_CACHE = Path(gettempdir()) / f"huxue-test-parts-{os.getuid()}"
_SECONDS = 300


class PartMissingError(RuntimeError):
    """A program is neither there nor could its package be had."""


def part(package: str, name: str, *more: str) -> Path:
    """The program or library `name` of a Debian package (with the packages `more` it needs beside it).

    Looked for on PATH and in the known folders first; then, as root, installed; else unpacked into a cache of this
    user, from where it is run (a library's path, or a program whose libraries are the system's).
    """
    with _alone():
        found = _find(name)
        if found is None:
            _install((package, *more))
            found = _find(name)
    if found is None:
        raise PartMissingError(f"{name} is missing: install Debian's package {package}")
    return found


def _find(name: str) -> Path | None:
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    places = [Path(folder, name) for folder in FOLDERS]
    places += [_CACHE / str(place).lstrip("/") for place in places]
    return next((place for place in places if place.is_file()), None)


@contextmanager
def _alone() -> Iterator[None]:
    """One test process at a time installs."""
    _CACHE.mkdir(mode=0o700, exist_ok=True)
    with (_CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(packages: Sequence[str]) -> None:
    if os.getuid() == 0:
        _run(packages, "apt-get", "update")
        _run(packages, "apt-get", "install", "-y", "--no-install-recommends", *packages)
        return
    _run(packages, "apt-get", "download", *packages)
    for archive in _CACHE.glob("*.deb"):
        _run(packages, "dpkg-deb", "-x", str(archive), str(_CACHE))


def _run(packages: Sequence[str], *command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=_CACHE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartMissingError(
            f"install Debian's package {packages[0]}: {command[0]} did not run ({error})"
        ) from error
    if done.returncode:
        raise PartMissingError(f"install Debian's package {packages[0]}: {done.stderr.strip()[-500:]}")

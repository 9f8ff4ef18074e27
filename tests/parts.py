"""Programs from Debian's packages that tests run beside the gateway: found where they are, or installed."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")
_CACHE = Path(tempfile.gettempdir()) / f"huxue-parts-{os.getuid()}"


def debian_program(package: str, program: str) -> Path:
    """The program of a Debian package, installed if need be; RuntimeError names the package when it cannot be had."""
    _CACHE.mkdir(mode=0o700, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run side by side
        found = _found(package, program)
        if found is None:
            _install(package) if os.getuid() == 0 else _unpack(package)
            found = _found(package, program)
    if found is None:
        raise RuntimeError(f"Debian's package {package} is needed for {program}: apt-get install {package}")
    return found


def _found(package: str, program: str) -> Path | None:
    unpacked = [str(_CACHE / package / folder.lstrip("/")) for folder in _FOLDERS]
    path = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS, *unpacked])
    found = shutil.which(program, path=path)
    return Path(found) if found else None


def _install(package: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(package, ["apt-get", "update"], env=quiet)
    _run(package, ["apt-get", "install", "-y", "--no-install-recommends", package], env=quiet)


def _unpack(package: str) -> None:
    """Without root: the package's files in a folder of our own."""
    folder = _CACHE / package
    folder.mkdir(exist_ok=True)
    _run(package, ["apt-get", "download", package], cwd=folder)
    for archive in folder.glob("*.deb"):
        _run(package, ["dpkg-deb", "-x", str(archive), str(folder)])


def _run(package: str, command: list[str], **options: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise RuntimeError(
            f"Debian's package {package} could not be had: {' '.join(command)}\n{done.stderr[-2000:]}"
        )

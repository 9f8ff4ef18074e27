"""What opens a sealed ring: passphrases, PINs, a ring's body. Taken out of the environment, never shown, handed on
to worker processes without an environment or an argument list ever holding it.
"""

import os
import stat
from pathlib import Path

from gateway.adapters.keys.errors import KeyRingError

_LIMIT = 1 << 20


class Secret:
    """Bytes that `repr`, pickling and copying do not show."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def reveal(self) -> bytes:
        """The bytes, for the one who must use them."""
        return self._value


_taken: dict[str, Secret] = {}
_handed: dict[str, int] = {}


def take(name: str, file: Path | None) -> Secret | None:
    """The secret of that name: from the environment (removed there, remembered here), else from its file."""
    text = os.environ.pop(name, None)
    if text:
        _taken[name] = Secret(text.encode())
    elif file is not None:
        return read_private(file)
    return _taken.get(name)


def remember(name: str, secret: Secret) -> None:
    """Keep what a person typed for as long as the process lives."""
    _taken[name] = secret


def forget() -> None:
    """Forget what was taken or typed."""
    _taken.clear()


def read_private(path: Path) -> Secret:
    """A file's content without the line end; KeyRingError when it is missing, empty or readable by others."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyRingError(f"{path} can be read by others: chmod 600 it")
            content = file.read(_LIMIT).rstrip(b"\r\n")
    except OSError as error:
        raise KeyRingError(f"cannot read {path}: {error.strerror}") from None
    if not content:
        raise KeyRingError(f"{path} is empty")
    return Secret(content)


def hand_on() -> None:
    """Before workers start: what was taken stands in memory-only files of this process, which they are told of.

    A system without such files (not Linux) has nothing better than their environment.
    """
    for name, secret in _taken.items():
        if not hasattr(os, "memfd_create"):
            os.environ[name] = secret.reveal().decode()
            continue
        if name not in _handed:
            _handed[name] = _memory_file(secret)
        os.environ[f"{name}_FILE"] = f"/proc/{os.getpid()}/fd/{_handed[name]}"


def _memory_file(secret: Secret) -> int:
    """A file that is on no disk; readable by this user's processes only, closed in any that is started."""
    descriptor = os.memfd_create("huxue", os.MFD_CLOEXEC)
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, secret.reveal())
    return descriptor

"""Where a ring is kept: a sealed file (by passphrase or by a hardware module's key), or the environment."""

import base64
import fcntl
import getpass
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.adapters.keys.envelope import Lock, PassphraseLock, is_sealed, seal, unseal
from gateway.adapters.keys.errors import KeyRingError
from gateway.adapters.keys.hardware import TokenLock
from gateway.adapters.keys.roots import Roots, from_body, to_body
from gateway.adapters.keys.secret import Secret, read_private, remember, take

PASSPHRASE, PIN, BODY = "HUXUE_KEYRING_PASSPHRASE", "HUXUE_PKCS11_PIN", "HUXUE_KEYRING_BODY"
_PASSPHRASE_CHARACTERS = 12
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class RingPlace:
    """What the settings say about the ring. `where`: a path, ``env:`` or ``pkcs11:``; `path` its file, if it has one.

    `demo`: the passphrase may lie beside the ring. Elsewhere it must be named: who takes the folder has the ring only.
    """

    where: str
    path: Path
    passphrase_file: Path | None = None
    body_file: Path | None = None
    module: str = ""
    token: str = ""
    pin_file: Path | None = None
    demo: bool = False


class RingStore(Protocol):
    """Loads and saves a ring."""

    @property
    def warnings(self) -> list[str]:
        """What is not as it should be, though it works."""
        ...

    def mark(self) -> object:
        """Changes when the stored ring does; cheap."""
        ...

    def load(self) -> Roots:
        """The roots; KeyRingError when they cannot be had."""
        ...

    def save(self, roots: Roots) -> None:
        """Replace the stored ring, all or nothing."""
        ...

    def exclusive(self) -> Any:
        """Nobody else saves while this context lasts; KeyRingError when somebody does."""
        ...


class FileRing:
    """A ring in a file of mode 0600. Without a lock only a bare ring opens, and is saved bare.

    Once it was read sealed, a bare one in its place is refused: who can write files but knows no passphrase would hand
    the running gateway keys of his own.
    """

    def __init__(self, path: Path, lock: Lock | None) -> None:
        self.path, self._lock = path, lock
        self._bare = self._was_sealed = False

    @property
    def warnings(self) -> list[str]:
        """A ring from release 0.1 is not sealed."""
        return ["the key ring is not sealed: run `huxue keys seal`"] if self._bare else []

    def mark(self) -> object:
        """Modification time, inode and size; None without the file."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def load(self) -> Roots:
        """The ring; KeyRingError when it is missing, open to others, malformed, or does not open."""
        document = self._document()
        try:
            roots = self._read(document)
            self._bare = not is_sealed(document)
            self._was_sealed = not self._bare
            return roots
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeyRingError(f"{self.path} is not a key ring") from None

    def _read(self, document: Any) -> Roots:
        if not is_sealed(document):
            if self._was_sealed:
                raise KeyRingError(
                    f"the key ring {self.path} was sealed and is not any more: it is not taken"
                )
            return from_body(document)
        if self._lock is None:
            raise KeyRingError(f"the key ring {self.path} is sealed")
        return unseal(document, self._lock)

    def _document(self) -> Any:
        if not self.path.is_file():
            raise KeyRingError(f"no key ring at {self.path}: run `huxue keys create`")
        try:
            if self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyRingError(f"the key ring {self.path} can be read by others: chmod 600 it")
            with self.path.open("rb") as file:
                return json.loads(file.read(_LIMIT))
        except OSError as error:
            raise KeyRingError(f"cannot read the key ring {self.path}: {error.strerror}") from None
        except ValueError:
            raise KeyRingError(f"{self.path} is not a key ring") from None

    def create(self, roots: Roots) -> None:
        """Write a new ring. Raises FileExistsError: a key ring is never overwritten."""
        if self.path.exists():
            raise FileExistsError(self.path)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(descriptor)
        try:
            self._write(self._sealed(roots, bare=self._lock is None))
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise

    def save(self, roots: Roots) -> None:
        """Replace the ring: another file, on disk before it takes the name. A bare ring stays bare."""
        self._write(self._sealed(roots, bare=self._bare or self._lock is None))

    def seal(self, roots: Roots) -> None:
        """Replace the ring by a sealed one."""
        self._write(self._sealed(roots, bare=False))

    def _sealed(self, roots: Roots, bare: bool) -> bytes:
        if bare or self._lock is None:
            return json.dumps(to_body(roots)).encode()
        return json.dumps(seal(roots, self._lock)).encode()

    def _write(self, content: bytes) -> None:
        partial = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self.path)
        except OSError as error:
            raise KeyRingError(f"cannot write the key ring {self.path}: {error.strerror}") from None
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A lock on a file beside the ring; it goes with the process."""
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise KeyRingError("another `huxue keys` command is changing the ring: wait for it") from None
        finally:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class EnvironmentRing:
    """A ring handed in by whoever starts the process: base64 of its JSON. It cannot be written back."""

    def __init__(self, body_file: Path | None) -> None:
        self._body_file = body_file

    @property
    def warnings(self) -> list[str]:
        """None."""
        return []

    def mark(self) -> object:
        """An environment does not change."""
        return ""

    def load(self) -> Roots:
        """The ring; KeyRingError when it is missing or none."""
        body = take(BODY, self._body_file)
        if body is None:
            raise KeyRingError(f"no key ring: HUXUE_KEYRING=env: needs {BODY} (base64 of the ring's JSON)")
        try:
            return from_body(json.loads(base64.b64decode(body.reveal(), validate=True)))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeyRingError(f"{BODY} is not the base64 of a key ring") from None

    def save(self, roots: Roots) -> None:
        """Refused."""
        raise KeyRingError("a key ring in the environment cannot be changed here: rotate it as a file")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Refused at once, before anything is done."""
        self.save(self.load())
        yield


def open_store(place: RingPlace) -> FileRing | EnvironmentRing:
    """The store that the settings name; nothing is read yet."""
    if place.where.startswith("env:"):
        return EnvironmentRing(place.body_file)
    if not place.where.startswith("pkcs11:"):
        return FileRing(place.path, PassphraseLock(lambda: _passphrase(place)))
    if not place.module or not place.token:
        raise KeyRingError("HUXUE_KEYRING=pkcs11: needs HUXUE_PKCS11_MODULE and HUXUE_PKCS11_TOKEN")
    return FileRing(place.path, TokenLock(place.module, place.token, lambda: _pin(place)))


def _pin(place: RingPlace) -> Secret:
    found = take(PIN, place.pin_file)
    if found is None:
        raise KeyRingError(f"the token's PIN is missing: set {PIN}_FILE (mode 0600) or {PIN}")
    return found


def passphrase_beside(path: Path) -> Path:
    """The file in which the demo profile keeps the passphrase of a ring."""
    return path.with_suffix(".passphrase")


def _passphrase(place: RingPlace) -> Secret:
    """From the environment, a file that is named, in the demo the file beside the ring, or a person at a terminal."""
    found = take(PASSPHRASE, place.passphrase_file)
    if found is None and (beside := _demo_file(place)) is not None:
        return read_private(beside)
    if found is None and sys.stdin is not None and sys.stdin.isatty():
        found = Secret(getpass.getpass("密钥口令 / passphrase of the key ring: ").encode())
        remember(PASSPHRASE, found)
    if found is None:
        raise KeyRingError(
            f"the key ring is sealed and its passphrase is missing: set {PASSPHRASE}_FILE (mode 0600) or"
            f" {PASSPHRASE}, or start it at a terminal{_unread(place)}"
        )
    return found


def _demo_file(place: RingPlace) -> Path | None:
    """The file beside the ring, where it is read."""
    beside = passphrase_beside(place.path)
    return beside if place.demo and beside.exists() else None


def _unread(place: RingPlace) -> str:
    """Why a file that lies there does not help."""
    beside = passphrase_beside(place.path)
    return f" ({beside} is read with HUXUE_PROFILE=demo only)" if beside.exists() else ""


def check_new_passphrase(place: RingPlace) -> None:
    """Before a ring is sealed: ask twice at a terminal; KeyRingError when it is short or the two differ."""
    typed = take(PASSPHRASE, place.passphrase_file) is None and _demo_file(place) is None
    found = _passphrase(place)
    if len(found.reveal().decode(errors="replace")) < _PASSPHRASE_CHARACTERS:
        raise KeyRingError(f"a passphrase has at least {_PASSPHRASE_CHARACTERS} characters")
    if typed and getpass.getpass("再输入一次 / once more: ").encode() != found.reveal():
        raise KeyRingError("the two passphrases differ")


def make_passphrase(path: Path) -> None:
    """A random passphrase in a file of mode 0600 beside the ring; one that is there stays."""
    try:
        descriptor = os.open(passphrase_beside(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(24) + "\n")

"""`huxue keys create | seal | list`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters.keys import KeyRingError
from gateway.adapters.keys.ring import in_use
from gateway.adapters.keys.roots import Roots, Version, new_roots
from gateway.adapters.keys.stores import FileRing, RingPlace, check_new_passphrase
from gateway.adapters.keys.suites import suite_of
from gateway.commands.operating import tell_if_there
from gateway.commands.settings import settings_from
from gateway.settings import Settings
from gateway.start import NotReady, ring_store

app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]


def file_store(settings: Settings) -> FileRing:
    """The ring's file; KeyRingError when the ring is in the environment."""
    store = ring_store(settings)
    if not isinstance(store, FileRing):
        raise KeyRingError("HUXUE_KEYRING=env: has no file: name one to work on it")
    return store


def _check_passphrase(settings: Settings) -> None:
    if not settings.keyring.startswith("pkcs11:"):
        place = RingPlace(settings.keyring, settings.keyring_path, settings.keyring_passphrase_file)
        check_new_passphrase(replace(place, demo=settings.profile == "demo"))


@app.command("create", help="建立密钥文件 / make a key ring")
def create(data: Data) -> None:
    """A new key ring in the data folder, mode 0600, sealed; an existing one is never overwritten."""
    settings = settings_from({"data": data})
    store = file_store(settings)
    if store.path.exists():
        raise NotReady(f"{store.path} is already there and is never overwritten")
    _check_passphrase(settings)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    tell_if_there(settings, f"keys-created:{settings.cipher_suite}")
    try:
        store.create(new_roots(suite_of(settings.cipher_suite), datetime.now(UTC)))
    except OSError as error:
        raise NotReady(f"cannot write {store.path}: {error.strerror}") from None
    typer.echo(f"made {store.path}")


@app.command("seal", help="用口令封存旧密钥文件 / seal a ring of release 0.1 by a passphrase")
def seal(data: Data) -> None:
    """Replace a bare ring by a sealed one; a running gateway takes it when it knows the passphrase."""
    settings = settings_from({"data": data})
    store = file_store(settings)
    with store.exclusive(), _reading(store) as roots:
        if not store.warnings:
            raise NotReady(f"{store.path} is sealed already")
        _check_passphrase(settings)
        tell_if_there(settings, "keys-sealed")
        store.seal(roots)
    typer.echo(f"sealed {store.path}")


@contextmanager
def _reading(store: FileRing) -> Iterator[Roots]:
    yield store.load()


@app.command("list", help="列出密钥版本 / names, versions, dates and states; never material")
def show(data: Data) -> None:
    """One line a version."""
    store = ring_store(settings_from({"data": data}))
    roots, now = store.load(), datetime.now(UTC)
    typer.echo(f"suite {roots.suite.name}")
    for name, versions in roots.versions.items():
        active = in_use(versions, now)[0]
        for each in versions:
            ends = f"  until {_day(each.retires)}" if each.retires else ""
            typer.echo(
                f"{name:<10} {each.number:>3}  {_day(each.created)}  {_state(each, active, now)}{ends}"
            )
    for warning in store.warnings:
        typer.echo(f"warning: {warning}", err=True)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _state(version: Version, active: Version, now: datetime) -> str:
    if version is active:
        return "in use"
    if version.secret is None:
        return "public key only"
    if version.number > active.number:
        return "coming"
    return "ended" if version.retires and version.retires <= now else "overlapping"

"""Turning keys: a new version beside the old ones, and old ones dropped when nothing uses them.

`ids` does not turn: leads, cases and duties are found again by the id that it gives them, so a new key would open a
second lead for the same child and rule.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.adapters.keys.roots import TURNING, Roots, Version, new_version

TOKENS_OVER = timedelta(minutes=10)
"""Access tokens live five minutes."""
FILES_OVER = timedelta(days=8)
"""Files for fetching live seven days at most (`policies/retention.yaml`)."""
REQUESTS_OVER = timedelta(hours=1)
"""An upload that looked up its children under the old key has ended by then."""


def turned(roots: Roots, names: Sequence[str], now: datetime, overlap: timedelta) -> Roots:
    """The same ring with a new version of each of these roots; the former ones end after the overlap."""
    for name in names:
        if name not in TURNING:
            raise ValueError(f"{name} does not turn")
        versions = roots.of(name)
        ends = now + _overlap(name, overlap)
        kept = [each if each.retires else replace(each, retires=ends) for each in versions]
        made = new_version(roots.suite, name, versions[-1].number + 1, now)
        roots = roots.with_versions(name, (*kept, made))
    return roots


def _overlap(name: str, asked: timedelta) -> timedelta:
    """What was asked for, but never less than what is still under way needs."""
    if name in ("token", "log"):
        return TOKENS_OVER
    if name == "files":
        return max(asked, FILES_OVER)
    if name == "pseudonym":
        return asked
    return max(asked, REQUESTS_OVER)


def ended(roots: Roots, name: str, now: datetime) -> list[Version]:
    """Versions of a root that are held though their overlap is over."""
    versions = roots.of(name)[:-1]
    return [each for each in versions if each.secret is not None and each.retires and each.retires <= now]


def dropped(roots: Roots, now: datetime, unused: Collection[str]) -> Roots:
    """The ring without the ended versions of the roots that nothing uses any more.

    A key of tree heads loses its secret only: old heads verify by the public one.
    """
    for name in unused:
        gone = {each.number for each in ended(roots, name, now)}
        if name == "log":
            kept = [replace(each, secret=None) if each.number in gone else each for each in roots.of(name)]
        else:
            kept = [each for each in roots.of(name) if each.number not in gone]
        roots = roots.with_versions(name, tuple(kept))
    return roots

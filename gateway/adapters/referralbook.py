"""Reads `policies/referrals.yaml`. A route that names an unknown role, purpose, field or duty stops the start."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gateway.adapters.yaml_text import parse
from gateway.domain.referral import HandoverTerms, ReferralBook, Route
from gateway.domain.rulebook import Rulebook
from schemas.catalogue import EXCHANGES

_PREVIEW = frozenset(field.name for field in EXCHANGES["case-referral"].fields)
_ACCEPTED = frozenset(field.name for field in EXCHANGES["referred-case"].fields)
_NEVER_BEFORE = frozenset(
    field.name for field in EXCHANGES["case-referral"].fields if field.classification != "plain"
)
"""What no receiver is shown before it accepts, whatever the file says."""


def load_referrals(folder: Path, rulebook: Rulebook) -> ReferralBook:
    """The routes; ValueError names what is wrong with them."""
    body = parse((folder / "referrals.yaml").read_text(encoding="utf-8"))
    roles = parse((folder / "roles.yaml").read_text(encoding="utf-8"))
    return read_referrals(body, roles, rulebook)


def read_referrals(body: Mapping[str, Any], roles: Mapping[str, Any], rulebook: Rulebook) -> ReferralBook:
    """The same, from what the files hold."""
    routes = {name: _route(name, each) for name, each in body["routes"].items()}
    for route in routes.values():
        _check(route, roles["roles"], rulebook)
    terms = HandoverTerms(**body["handover"])
    _known("handover", {terms.duty, terms.follow_up}, rulebook.duties.rules)
    _known("handover", {terms.rule}, rulebook.rules)
    return ReferralBook(routes, tuple(body["grounds"]), terms, str(body["version"]))


def _route(name: str, body: Mapping[str, Any]) -> Route:
    about, outcome = body["about"], body["outcome"]
    if about not in ("case", "employer") or outcome not in ("upload", "close"):
        raise ValueError(f"referrals.yaml: {name}: about or outcome is of no known kind")
    sender, receiver = body["purposes"]
    return Route(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        about_case=about == "case",
        senders=frozenset(body["from"]),
        receivers=frozenset(body["to"]),
        sender_purpose=sender,
        receiver_purpose=receiver,
        measures=tuple(body["measures"]),
        step=body["needs_step"],
        duty=body["duty"],
        follow_up=body["follow_up"],
        preview=frozenset(body["preview"]),
        accepted=frozenset(body["accepted"]),
        outcomes=tuple(body["outcomes"]),
        closes_itself=outcome == "close",
    )


def _check(route: Route, roles: Mapping[str, Any], rulebook: Rulebook) -> None:
    where = route.id
    _known(where, route.senders | route.receivers, roles)
    for each, purpose in ((route.senders, route.sender_purpose), (route.receivers, route.receiver_purpose)):
        for role in each:
            _known(where, {purpose}, roles[role]["purposes"])
    _known(where, {route.duty, route.follow_up} - {None}, rulebook.duties.rules)
    _known(where, {route.step} - {None}, rulebook.cases.steps)
    _known(where, route.preview, _PREVIEW - _NEVER_BEFORE)
    _known(where, route.accepted, _ACCEPTED)
    if not route.measures or not route.senders or not route.receivers:
        raise ValueError(f"referrals.yaml: {where}: nobody, or nothing to ask for")


def _known(where: str, names: Collection[Any], known: Collection[str]) -> None:
    if unknown := sorted(str(name) for name in names if name not in known):
        raise ValueError(f"referrals.yaml: {where}: unknown, or not to be shown: {', '.join(unknown)}")

"""The catalogue as one caller sees it: everything there is, and the treatment the caller's role gets of each field."""

from collections.abc import Mapping, Sequence

from gateway.domain.decision import Grant, PolicyDecisionPoint, Treatment, strictest
from gateway.domain.errors import NotPermitted, UnknownPurpose
from gateway.domain.principal import Principal
from schemas.catalogue import EXCHANGES, Exchange
from schemas.records import DATASETS


class CatalogueView:
    """Reads the catalogue and previews decisions. Nothing about a child is in it, so nothing is recorded."""

    def __init__(self, points: PolicyDecisionPoint) -> None:
        self._points = points

    def all(self, principal: Principal, language: str) -> list[Mapping[str, object]]:
        """Every exchange."""
        return [self._entry(principal, exchange, language) for exchange in EXCHANGES.values()]

    def one(self, principal: Principal, exchange: str, language: str) -> Mapping[str, object]:
        """One exchange; NotPermitted when there is none of that name."""
        found = EXCHANGES.get(exchange)
        if found is None:
            raise NotPermitted
        return self._entry(principal, found, language)

    def _entry(self, principal: Principal, exchange: Exchange, language: str) -> Mapping[str, object]:
        grants = [
            grant for purpose in exchange.purposes if (grant := self._grant(principal, exchange, purpose))
        ]
        yours = _strictest(grants)
        return {
            "id": exchange.id,
            "title": exchange.title_en if language == "en" else exchange.title_zh,
            "provider": exchange.provider,
            "kind": exchange.action.value,
            "sharing_class": exchange.sharing,
            "purposes": list(exchange.purposes),
            "legal_basis": exchange.legal_basis,
            "permitted": bool(grants),
            "fields": [
                {
                    "name": field.name,
                    "title": field.title_zh,
                    "classification": field.classification,
                    "treatment": yours.get(field.name, Treatment.WITHHOLD).name.lower(),
                }
                for field in exchange.fields
            ],
            "columns": _columns(exchange),
        }

    def _grant(self, principal: Principal, exchange: Exchange, purpose: str) -> Grant | None:
        try:
            return self._points.decide(principal, exchange.action, exchange.id, purpose, principal.region)
        except (NotPermitted, UnknownPurpose):
            return None


def _strictest(grants: Sequence[Grant]) -> Mapping[str, Treatment]:
    """Of the purposes that release a field, the treatment that tells least."""
    names = {name for grant in grants for name in grant.fields}
    return {name: strictest(grant.fields[name] for grant in grants if name in grant.fields) for name in names}


def _columns(exchange: Exchange) -> list[Mapping[str, object]]:
    """What an upload holds."""
    if exchange.dataset is None:
        return []
    return [
        {
            "name": column.name,
            "header": column.header,
            "required": column.required,
            "classification": column.classification,
        }
        for column in DATASETS[exchange.dataset].columns
    ]

"""How much one caller may ask: requests a minute, and different children a day. The figures are in `policies/limits.yaml`.

Sources: 个人信息保护法 art. 6 (no more than the purpose needs), art. 51 (measures against unauthorised access).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a minute: of one client, and of one officer named by it."""

    client: int
    officer: int


@dataclass(frozen=True, slots=True)
class Quota:
    """Different children a law date.

    `person`: of one officer, or of a client that names none; `client`: of a client, all its officers together (they
    are named by the client itself, so this total is what holds when a client invents them). `neighbours_from`: the
    first of that many ids of one area and birth date to be refused; `cohort`: ids of one area and birth month that
    pass. Both runs are counted by client.
    """

    person: int
    client: int
    neighbours_from: int
    cohort: int


@dataclass(frozen=True, slots=True)
class ResolutionQuota:
    """Requests for resolution of identity in a day, emergencies included: of one officer; of a client, all its officers."""

    officer: int
    client: int


@dataclass(frozen=True, slots=True)
class TokenRates:
    """At the token endpoint, a minute: tokens of one client; failed attempts from one address."""

    client: int
    failures: int


@dataclass(frozen=True, slots=True)
class LimitBook:
    """Every limit; a role that is not named has the defaults."""

    rates: Rates
    quota: Quota
    tokens: TokenRates
    resolutions: ResolutionQuota
    role_rates: Mapping[str, Rates] = field(default_factory=dict)
    role_quotas: Mapping[str, Quota] = field(default_factory=dict)
    role_resolutions: Mapping[str, ResolutionQuota] = field(default_factory=dict)

    def rates_of(self, role: str) -> Rates:
        """Requests a minute of that role (`agency/role`)."""
        return self.role_rates.get(role, self.rates)

    def quota_of(self, role: str) -> Quota:
        """Different children a day of that role."""
        return self.role_quotas.get(role, self.quota)

    def resolutions_of(self, role: str) -> ResolutionQuota:
        """Resolutions of identity a day of that role."""
        return self.role_resolutions.get(role, self.resolutions)


class Sighting(msgspec.Struct, frozen=True):
    """A child that is about to be told of: what tells it from others, and which runs it belongs to, if it has an id.

    Kept only as keyed digests of the day; `repr` shows nothing.
    """

    child: str
    neighbours: str | None = None
    cohort: str | None = None

    def __repr__(self) -> str:
        return "Sighting(…)"


def sighting_of_id(resident_id: str) -> Sighting:
    """By an 18-character id (GB 11643): neighbours share area and birth date, a cohort area and birth month."""
    return Sighting(resident_id, resident_id[:14], resident_id[:12])


def sighting_of_subject(subject: bytes) -> Sighting:
    """By the vault's random id, where no id number was given: it has no neighbours."""
    return Sighting(f"subject:{subject.hex()}")

"""In whose name a legal instrument is issued: the county's education department, or the township's government.

义务教育法 art. 13, 58: 乡镇人民政府或者县级人民政府教育行政部门. No other level issues.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.principal import Principal
from schemas.codes.region import regions

_STREET = "街道"
_COUNTY, _TOWNSHIP = 6, 9


@dataclass(frozen=True, slots=True)
class Office:
    """What a county wrote of its own: name and sign, each None where the default serves."""

    name: str | None = None
    sign: str | None = None


@dataclass(frozen=True, slots=True)
class Offices:
    """The issuing offices: `defaults` by role (and `street`), `own` by region in SHORT form."""

    defaults: Mapping[str, str]
    own: Mapping[str, Office]

    def may_issue(self, principal: Principal) -> bool:
        """Whether this officer's office is of a level that issues: a county's education, or a township."""
        region = principal.region
        if principal.agency == "township":
            return len(region) == _TOWNSHIP
        return principal.agency == "education" and is_county(region)

    def name(self, role: str, region: str) -> str | None:
        """The office's name; None where the region's name is not known, so that no nameless order goes out."""
        own = self.own.get(region)
        if own is not None and own.name:
            return own.name
        county, place = regions().get(region[:_COUNTY]), regions().get(region)
        if county is None or place is None:
            return None
        pattern = self.defaults["street" if place.name.endswith(_STREET) else role]
        return pattern.replace("{county}", county.name).replace("{township}", place.name)

    def sign(self, region: str) -> str:
        """The region in the number: its official sign, or its code."""
        own = self.own.get(region)
        return own.sign if own is not None and own.sign else region


def is_county(region: str) -> bool:
    """Whether a region is a county, or a prefecture-level city without counties (four digits: 东莞 is `4419`)."""
    if len(region) != 4:
        return len(region) == _COUNTY
    below = (each for each in regions() if each.level == "county" and each.code.startswith(region))
    return not any(each.valid_to is None for each in below)

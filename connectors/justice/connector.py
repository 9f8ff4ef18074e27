"""Justice: accepts referred cases, and brings what came of them; before acceptance it knows nobody."""

from connectors.base import Connector
from connectors.justice.mapping import PROVIDES


class Justice(Connector):
    """司法局."""

    agency = "justice"
    title_zh = "司法局"
    title_en = "Justice bureau"
    provides = PROVIDES
    asks = ("case-referral", "referred-case")
    roles = ("legal_aid_officer",)

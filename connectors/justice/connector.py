"""Justice: may be granted referred cases one day; nothing is permitted to it yet."""

from connectors.base import Connector
from connectors.justice.mapping import PROVIDES


class Justice(Connector):
    """司法局."""

    agency = "justice"
    title_zh = "司法局"
    title_en = "Justice bureau"
    provides = PROVIDES
    roles = ("legal_aid_officer",)

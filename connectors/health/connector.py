"""The health commission: brings disability assessments, and asks what came of them: a yes or a no a child."""

from connectors.base import Connector
from connectors.health.mapping import DISABILITY_ASSESSMENT


class Health(Connector):
    """卫生健康局."""

    agency = "health"
    title_zh = "卫生健康局"
    title_en = "Health commission"
    provides = (DISABILITY_ASSESSMENT,)
    asks = ("placement-outcomes",)
    roles = ("disability_assessor",)

"""The health commission: brings disability assessments; asks nothing, and learns nothing of schooling."""

from connectors.base import Connector
from connectors.health.mapping import DISABILITY_ASSESSMENT


class Health(Connector):
    """卫生健康局."""

    agency = "health"
    title_zh = "卫生健康局"
    title_en = "Health commission"
    provides = (DISABILITY_ASSESSMENT,)
    roles = ("disability_assessor",)

"""Human resources: asks whether an applicant is too young to be hired."""

from connectors.base import Connector
from connectors.human_resources.mapping import PROVIDES


class HumanResources(Connector):
    """人力资源和社会保障局."""

    agency = "human_resources"
    title_zh = "人力资源和社会保障局"
    title_en = "Human resources bureau"
    provides = PROVIDES
    asks = ("applicant-check",)
    roles = ("recruitment_checker",)

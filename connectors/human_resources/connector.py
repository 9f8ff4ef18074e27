"""Human resources: asks who is too young to be hired or registered, brings what labour inspection found."""

from connectors.base import Connector
from connectors.human_resources.mapping import SIGHTINGS


class HumanResources(Connector):
    """人力资源和社会保障局."""

    agency = "human_resources"
    title_zh = "人力资源和社会保障局"
    title_en = "Human resources bureau"
    provides = (SIGHTINGS,)
    asks = ("applicant-check", "registration-check", "employer-hits")
    roles = ("recruitment_checker", "labour_inspector")

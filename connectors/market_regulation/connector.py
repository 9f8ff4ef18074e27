"""Market regulation: asks whether a person must not be registered as a trader, and which employers had children at work."""

from connectors.base import Connector
from connectors.market_regulation.mapping import PROVIDES


class MarketRegulation(Connector):
    """市场监督管理局."""

    agency = "market_regulation"
    title_zh = "市场监督管理局"
    title_en = "Market regulation bureau"
    provides = PROVIDES
    asks = ("licence-check", "employer-hits")
    roles = ("licence_registrar", "market_inspector")

"""Civil affairs: brings who is on relief, asks which needy children are not, and whom school aid missed."""

from connectors.base import Connector
from connectors.civil_affairs.mapping import RELIEF_REGISTER


class CivilAffairs(Connector):
    """民政局."""

    agency = "civil_affairs"
    title_zh = "民政局"
    title_en = "Civil affairs bureau"
    provides = (RELIEF_REGISTER,)
    asks = ("needy-children", "aid-gap")
    roles = ("register_keeper", "relief_officer")

"""The catalogue: every exchange, put together from `schemas.exchanges`."""

from schemas.exchanges.base import Action, Exchange, Field
from schemas.exchanges.casework import CASEWORK
from schemas.exchanges.checks import CHECKS
from schemas.exchanges.children import CHILDREN
from schemas.exchanges.referrals import REFERRALS
from schemas.exchanges.trust import TRUST
from schemas.exchanges.uploads import UPLOADS

__all__ = ["EXCHANGES", "Action", "Exchange", "Field"]

EXCHANGES: dict[str, Exchange] = {
    exchange.id: exchange for exchange in (*UPLOADS, *REFERRALS, *CHECKS, *CHILDREN, *CASEWORK, *TRUST)
}

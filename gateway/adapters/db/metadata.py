"""Every table of the store, for what makes it or checks it: a module of tables that is not here is not made."""

from sqlmodel import SQLModel

from gateway.adapters.db import (  # noqa: F401 - each registers its tables
    aid_tables,
    duty_tables,
    evidence_tables,
    guard_tables,
    inspection_tables,
    instrument_tables,
    ledger_tables,
    log_tables,
    purge_tables,
    referral_tables,
    report_tables,
    resolution_tables,
    rotation_tables,
    tables,
)

METADATA = SQLModel.metadata

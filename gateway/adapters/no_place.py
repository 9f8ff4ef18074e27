"""Tables that hold no child, and their harmless columns: the other half of `gateway.adapters.places`."""

NO_CHILD: dict[str, str] = {
    "school": "schools and their names",
    "instrument_counter": "how many legal instruments an office issued in a year",
    "client": "agencies' systems and their public keys",
    "meta": "facts about the store itself: counters and days",
    "duty_officer": "officers by the name in which they act, and their clients",
    "export_mark": "when a client last exported a list",
    "pseudonym_mapping": "which agency fetched which mapping, and when",
    "spent_proofs": "digests of proofs of possession that were used, for some minutes",
    "audit_tile": "hashes of the log's tree",
    "audit_head": "signed heads of the log",
    "audit_cosignature": "witnesses' signatures under heads",
    "report": "counts of a school, township or county; who signed them",
    "log_lease": "which process seals the log",
    "witnessed_head": "heads of other gateways' logs",
    "log_fork": "contradicting heads of another gateway's log",
    "alembic_version": "the version of the tables",
}
"""Tables that hold no child, each with the reason."""

HARMLESS: dict[str, str] = {
    "client.public_key": "a public key",
    "report.figures": "counts of a unit and period",
    "report.stated": "counts as the signer stated them",
    "report.missing": "codes of counties",
    "spent_proofs.keys": "digests of a client's own proofs",
    "audit_tile.hashes": "hashes of entries that only commit to children",
    "audit_head.root": "a hash of hashes",
    "witnessed_head.root": "a hash of hashes",
}
"""Columns of bytes or JSON in NO_CHILD tables, each with the reason."""

"""What the agencies exchange: identifiers, code tables, record types and the catalogue. No I/O beyond its own data."""

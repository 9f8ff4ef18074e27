"""An invented county: seeded files that agencies hand over, with the truth about every child in them."""

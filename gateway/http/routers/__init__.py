"""One router a part of the interface contract."""

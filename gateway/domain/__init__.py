"""Pure rules: no I/O, no framework. Everything here is decided from its arguments."""

"""The commands of `huxue`, one subject a module."""

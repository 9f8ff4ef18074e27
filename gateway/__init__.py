"""Huxue, the gateway that keeps every child in school."""

"""Exchanges, by what they are for; the catalogue puts them together."""

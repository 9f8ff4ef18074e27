"""Policies as data: Cedar and YAML files. The package exists only so that they can be found when installed."""

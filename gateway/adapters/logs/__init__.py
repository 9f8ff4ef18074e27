"""Logs to be checked offline: a store, or an export of one."""

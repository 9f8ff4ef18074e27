"""The policy decision point, made of Cedar: policies are loaded and linted here, and asked.

`usable(directory)` gives a `PolicyBundle` that does what its cases say; `CedarDecisionPoint(bundle)` answers from it
with a cache and can reload.
"""

from gateway.adapters.cedar.bundle import PolicyBundle
from gateway.adapters.cedar.loader import assemble, load, read_files, usable
from gateway.adapters.cedar.point import CedarDecisionPoint

__all__ = ["CedarDecisionPoint", "PolicyBundle", "assemble", "load", "read_files", "usable"]

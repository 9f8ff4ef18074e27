"""The policy decision point, made of Cedar: policies are loaded and linted here, and asked.

`load(directory)` gives a `PolicyBundle`; `CedarDecisionPoint(bundle)` answers from it with a cache and can
reload.
"""

from gateway.adapters.cedar.bundle import PolicyBundle
from gateway.adapters.cedar.loader import assemble, load, read_files
from gateway.adapters.cedar.point import CedarDecisionPoint

__all__ = ["CedarDecisionPoint", "PolicyBundle", "assemble", "load", "read_files"]

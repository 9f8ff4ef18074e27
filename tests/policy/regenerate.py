"""`python -m tests.policy.regenerate`: writes the golden matrix anew, for review in the diff."""

from gateway.services.policy import matrix
from tests.policy.support import GOLDEN, bundle

if __name__ == "__main__":
    GOLDEN.write_text(matrix(bundle()), encoding="utf-8")

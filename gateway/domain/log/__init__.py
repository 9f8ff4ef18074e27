"""The transparency log: a Merkle tree over the evidence, its signed heads, and what anyone can check of them."""

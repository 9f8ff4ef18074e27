"""Engineering documents; `docs.generate` writes the reference from the code."""

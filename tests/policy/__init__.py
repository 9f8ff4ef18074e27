"""The policies themselves under test: their cases, the lint, the matrix and the walls."""

"""Lists of children, one noun a file: who is on it and what may be said. How it is told is `making`, for all alike."""

"""卫健: the health commission."""

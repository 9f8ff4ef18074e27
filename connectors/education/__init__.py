"""教育: the education bureau."""

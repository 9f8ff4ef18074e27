"""市场监管: the market regulation bureau."""

"""司法: the justice bureau."""

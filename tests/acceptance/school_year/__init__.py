"""One invented county living through the school year 2025/26: its script, its files, the truth of it."""

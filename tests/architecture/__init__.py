"""The whole repository held to itself."""

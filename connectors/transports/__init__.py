"""How a connector reaches the gateway and an agency's own data: over HTTP, and through dropped files."""

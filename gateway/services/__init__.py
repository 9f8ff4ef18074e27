"""One use case a file. A service decides, gathers, de-identifies, records, and only then answers."""

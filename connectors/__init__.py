"""One folder an agency: its columns and codes, its transports, its simulator."""

"""The HTTP edge: who is calling, what they sent, and how an answer or an error looks on the wire."""

"""人社: the human resources bureau."""

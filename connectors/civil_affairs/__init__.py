"""民政: the civil affairs bureau."""

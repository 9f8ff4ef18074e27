"""The demo: a county in a temporary folder, six simulated agencies, four stories, and the check."""

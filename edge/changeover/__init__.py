"""Another job, another recipe."""

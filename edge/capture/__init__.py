"""Pictures in: files, cameras, and whether they are fit to be judged."""

"""Sealed folders: verify, then open."""

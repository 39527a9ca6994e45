"""Measurement system analysis: how far the answers of a recipe can be relied on."""

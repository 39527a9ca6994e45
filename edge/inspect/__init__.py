"""Pixels in, verdict out; no input or output."""

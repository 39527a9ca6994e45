"""The line device: camera and recipe in, one verdict per part out."""

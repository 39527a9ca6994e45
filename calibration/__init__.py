"""The line engineer: good parts and an encoder in, a recipe with a signed threshold out."""

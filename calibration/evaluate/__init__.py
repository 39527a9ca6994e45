"""How well a recipe judges labelled pictures."""

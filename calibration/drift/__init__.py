"""Whether the scores of good parts wander while a recipe is in use, and when to build it again."""

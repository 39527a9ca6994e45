"""What the messages look like, for those who write the other side: generated from the models that make them."""

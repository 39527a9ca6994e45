"""What the plant may ask of a running line, and how it is answered."""

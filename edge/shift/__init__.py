"""The check at the start of a shift: known parts must come out as they are known before the line is released."""

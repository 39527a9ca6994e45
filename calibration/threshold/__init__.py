"""Where the threshold lies and what that is worth: one file for each method, and what they share."""

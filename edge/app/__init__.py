"""The only room that constructs and connects: a configuration becomes a running line."""

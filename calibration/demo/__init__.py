"""The main job on real parts, with nothing to install first: what `make demo` shows."""

"""Proof of what was judged: pictures on the device, in a ring of limited size."""

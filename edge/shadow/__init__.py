"""A challenger judges what the line judges, and says where it would have decided otherwise; the line never waits for it."""

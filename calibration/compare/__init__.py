"""Two recipes on the same pictures: which verdicts change, and whether the difference is more than chance."""

"""What is wrong with a station, in words, and the mend."""

"""What `goodpart calibrate` offers: one command a file, each importing what it needs when it runs."""

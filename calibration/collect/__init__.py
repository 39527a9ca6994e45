"""Good pictures from the station's own source, with what each looked like when it was taken."""

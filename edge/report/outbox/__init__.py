"""Results from their verdict to the broker's answer, kept so that neither a kill nor a power cut loses one."""

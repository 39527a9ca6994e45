"""What people accept at the line becomes part of what is good, on the device, within limits."""

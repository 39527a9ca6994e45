"""The line device: camera and recipe in, one verdict per part out."""

import os

# ONNX Runtime 1.32 collects telemetry where it is not told otherwise, and sends it to its makers. It reads this when it is
# imported, so it stands where everything begins.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

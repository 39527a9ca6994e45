"""The line device: camera and recipe in, one verdict per part out."""

import os

# OpenCV reads this when it is imported first. A picture of a million bytes may claim a thousand million pixels and take all
# memory to decode; cameras have less than 2^28.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**28))

# ONNX Runtime 1.32 collects telemetry where it is not told otherwise, and sends it to its makers. It reads this when it is
# imported, so it stands where everything begins.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

"""The line device: camera and recipe in, one verdict per part out."""

import os

# OpenCV reads this when it is imported first, and looks at a file's header before it decodes. A picture of a million bytes
# may claim a thousand million pixels; of 2^26, more than cameras on a line have, the greediest file takes 1.1 GB to decode,
# which fits into the MemoryMax=2G of the unit.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))

# ONNX Runtime 1.32 collects telemetry where it is not told otherwise, and sends it to its makers. It reads this when it is
# imported, so it stands where everything begins.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

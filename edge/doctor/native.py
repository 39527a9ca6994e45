"""Whether compiled packages run on this CPU, found out in a process that may die of it."""

import signal
import subprocess
import sys

from edge.doctor.symptom import Symptom, ill, well

_PATIENCE_S = 60.0

_TRIAL = """
import cv2, hnswlib, numpy, onnxruntime
points = numpy.random.default_rng(0).random((64, 48), numpy.float32)
index = hnswlib.Index("l2", 48)
index.init_index(64)
index.add_items(points)
index.knn_query(points)
cv2.resize(numpy.zeros((64, 64, 3), numpy.uint8), (32, 32))
"""
"""Imports and a search: the instructions that a CPU may lack are met when they are used."""


def try_native(trial: str = _TRIAL) -> Symptom:
    """Run what is compiled. hnswlib is built with -march=native: on another kind of CPU it dies of SIGILL without a word."""
    command = [sys.executable, "-c", trial]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603 - our own
    except subprocess.TimeoutExpired:
        return ill("packages", f"compiled packages do not answer within {_PATIENCE_S:g} s; is the disk healthy?")
    if done.returncode == -signal.SIGILL:
        return ill(
            "packages",
            "hnswlib was compiled for another CPU than this one; on this device: pip install --force-reinstall --no-deps "
            "--no-binary hnswlib --no-cache-dir hnswlib",
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        return ill("packages", f"a compiled package does not run here: {last}; install goodpart again on this device.")
    return well("packages", "numpy, OpenCV, ONNX Runtime and hnswlib run on this CPU")

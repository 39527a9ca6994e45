"""The training side: a backbone becomes an encoder, one ONNX file with its card."""

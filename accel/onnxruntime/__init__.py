"""ONNX Runtime on the processor, on DirectML and on CUDA."""

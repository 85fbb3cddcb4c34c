"""ONNX Runtime through its C library, so that other threads go on while it works.

The C API is a table of functions that only ever grows at its end (``onnxruntime_c_api.h``), so a place in it is good
for every later version.
"""

"""PyTurboJPEG 1.8.3, as far as it is used here; the package carries no types."""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

TJPF_BGRX: int
TJPF_BGRA: int
TJSAMP_444: int

class TurboJPEG:
    def __init__(self, lib_path: str | None = None) -> None: ...
    def encode(
        self, img_array: NDArray[np.uint8], quality: int = ..., pixel_format: int = ..., jpeg_subsample: int = ...
    ) -> bytes: ...
    def decode(
        self, jpeg_buf: Buffer, pixel_format: int = ..., *, dst: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]: ...

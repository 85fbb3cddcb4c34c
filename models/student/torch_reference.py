"""What the description of a PyTorch file says about a tensor: which bytes of the archive it is a view of."""

from __future__ import annotations

from dataclasses import dataclass

MAXIMUM_ELEMENTS = 64 << 20
"""Of one storage, and of all tensors together: 256 MB as float32."""
_MAXIMUM_DIMENSIONS = 8

STORAGE_TYPES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "DoubleStorage": "float64",
    "BFloat16Storage": "bfloat16",
}
"""PyTorch's names for arrays of numbers that can be weights, and what they hold."""


class OutOfBounds(Exception):
    """A reference that would read what it must not, or that says nothing."""

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StorageReference:
    """An entry ``data/<key>`` of the archive that holds ``count`` numbers of a type in STORAGE_TYPES."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class TensorReference:
    """A view into a storage. Offset and strides count elements."""

    storage: StorageReference
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def check_bounds(self) -> None:
        """Raise OutOfBounds unless every element lies in the storage and none had to be repeated to fill the shape."""
        if len(self.shape) != len(self.strides) or len(self.shape) > _MAXIMUM_DIMENSIONS:
            raise OutOfBounds("dimensions do not fit", "damaged")
        if min(self.offset, *self.shape, *self.strides, 0) < 0:
            raise OutOfBounds("a negative size, stride or offset", "unsafe")
        count, last = 1, self.offset
        for size, stride in zip(self.shape, self.strides, strict=True):
            count *= size
            last += (size - 1) * stride
        if count == 0:
            raise OutOfBounds("an empty tensor", "not_weights")
        # a view with more elements than its storage repeats them, which can make gigabytes of one number
        if last >= self.storage.count or count > self.storage.count:
            raise OutOfBounds("a tensor reaches over its storage", "unsafe")

"""The functions of ONNX Runtime's C API that we use, with their places in its table.

``onnxruntime_c_api.h`` declares the table (``OrtApi``); places were counted in the header of version 24. Functions that
may take long give Python's lock back meanwhile. Short ones keep it: to get it back from a thread that computes may take
five milliseconds, and a run makes a dozen of such calls.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

VERSION = 24
"""Of the table: ONNX Runtime 1.24 and later have it."""
INVALID_PROTOBUF = 7
"""``ORT_INVALID_PROTOBUF``: what is no model."""
_CODES = (
    "OK", "FAIL", "INVALID_ARGUMENT", "NO_SUCHFILE", "NO_MODEL", "ENGINE_ERROR", "RUNTIME_EXCEPTION",
    "INVALID_PROTOBUF", "MODEL_LOADED", "NOT_IMPLEMENTED", "INVALID_GRAPH", "EP_FAIL", "MODEL_LOAD_CANCELED",
    "MODEL_REQUIRES_COMPILATION", "NOT_FOUND",
)  # fmt: skip
"""Names of ``OrtErrorCode``, as the Python module writes them."""
_FUNCTIONS = 413
"""Up to the last one we use."""

POINTER, TEXT, INT, SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
OUT, OUT_INT, OUT_SIZE = ctypes.POINTER(POINTER), ctypes.POINTER(INT), ctypes.POINTER(SIZE)

Function = Callable[..., Any]


class OrtError(Exception):
    """What ONNX Runtime says went wrong, worded as its Python module does."""

    def __init__(self, code: int, message: str) -> None:
        name = _CODES[code] if 0 <= code < len(_CODES) else "UNKNOWN"
        super().__init__(f"[ONNXRuntimeError] : {code} : {name} : {message}")
        self.code = code


class Api:
    """The table. Functions that may fail raise OrtError; what they make goes into their last argument."""

    def __init__(self, address: int) -> None:
        # typeshed knows no errcheck that gives nothing
        self._errcheck: Any = self._check
        self._table = (POINTER * _FUNCTIONS).from_address(address)
        self._error_code = self._plain(1, INT, POINTER)
        self._error_message = self._plain(2, TEXT, POINTER)
        self._release_status = self._plain(93, None, POINTER)
        tried, lasting = self._tried, self._lasting

        self.create_environment = lasting(3, INT, TEXT, OUT)
        self.disable_telemetry = tried(6, POINTER)
        self.available_providers = tried(125, OUT, OUT_INT)
        self.release_available_providers = tried(126, POINTER, INT)

        self.create_session_options = tried(10, OUT)
        self.set_execution_mode = tried(13, POINTER, INT)
        self.disable_memory_pattern = tried(17, POINTER)
        self.set_log_severity = tried(22, POINTER, INT)
        self.set_intra_op_threads = tried(24, POINTER, INT)
        self.set_inter_op_threads = tried(25, POINTER, INT)
        self.add_config_entry = tried(130, POINTER, TEXT, TEXT)
        self.config_entry = tried(238, POINTER, TEXT, POINTER, OUT_SIZE)
        self.append_provider = lasting(216, POINTER, TEXT, POINTER, POINTER, SIZE)
        self.release_session_options = self._lasting_plain(100, None, POINTER)

        self.create_session = lasting(8, POINTER, TEXT, SIZE, POINTER, OUT)
        self.run = lasting(9, POINTER, POINTER, POINTER, POINTER, SIZE, POINTER, SIZE, POINTER)
        self.run_with_binding = lasting(133, POINTER, POINTER, POINTER)
        self.release_session = self._lasting_plain(95, None, POINTER)
        self.input_count = tried(30, POINTER, OUT_SIZE)
        self.output_count = tried(31, POINTER, OUT_SIZE)
        self.input_type = tried(33, POINTER, SIZE, OUT)
        self.output_type = tried(34, POINTER, SIZE, OUT)
        self.input_name = tried(36, POINTER, SIZE, POINTER, OUT)
        self.output_name = tried(37, POINTER, SIZE, POINTER, OUT)
        self.input_memory = tried(380, POINTER, POINTER, SIZE)
        self.assigned_graphs = tried(407, POINTER, OUT, OUT_SIZE)
        self.assigned_provider = tried(408, POINTER, OUT)
        self.assigned_nodes = tried(409, POINTER, OUT, OUT_SIZE)
        self.assigned_operator = tried(412, POINTER, OUT)

        self.tensor_info = tried(55, POINTER, OUT)
        self.element_type = tried(60, POINTER, OUT_INT)
        self.dimension_count = tried(61, POINTER, OUT_SIZE)
        self.dimensions = tried(62, POINTER, POINTER, SIZE)
        self.release_type = self._plain(98, None, POINTER)

        self.host_memory = tried(69, INT, INT, OUT)
        self.release_memory = self._plain(94, None, POINTER)
        self.default_allocator = tried(78, OUT)
        self.free = tried(76, POINTER, POINTER)
        self.create_allocator = tried(131, POINTER, POINTER, OUT)
        self.release_allocator = self._lasting_plain(132, None, POINTER)
        self.allocate_tensor = lasting(48, POINTER, POINTER, SIZE, INT, OUT)
        self.wrap_tensor = tried(49, POINTER, POINTER, SIZE, POINTER, SIZE, INT, POINTER)
        self.tensor_data = tried(51, POINTER, OUT)
        self.release_value = self._plain(96, None, POINTER)

        self.create_binding = tried(134, POINTER, OUT)
        self.release_binding = self._plain(135, None, POINTER)
        self.bind_input = lasting(136, POINTER, TEXT, POINTER)
        self.bind_output = tried(137, POINTER, TEXT, POINTER)
        self.clear_inputs = self._plain(141, None, POINTER)
        self.clear_outputs = self._plain(142, None, POINTER)
        self.wait_for_outputs = lasting(203, POINTER)

        self.ep_devices = lasting(303, POINTER, OUT, OUT_SIZE)
        self.ep_device_provider = self._plain(312, TEXT, POINTER)
        self.ep_device_told = self._plain(314, POINTER, POINTER)
        self.ep_device_hardware = self._plain(316, POINTER, POINTER)
        self.hardware_vendor = self._plain(309, TEXT, POINTER)
        self.hardware_told = self._plain(311, POINTER, POINTER)
        self.pairs = self._plain(298, None, POINTER, OUT, OUT, OUT_SIZE)

    def _plain(self, place: int, result: Any, *arguments: Any) -> Function:
        """A short function that cannot fail."""
        return ctypes.PYFUNCTYPE(result, *arguments)(self._table[place] or 0)

    def _lasting_plain(self, place: int, result: Any, *arguments: Any) -> Function:
        """One that takes its time and cannot fail."""
        return ctypes.CFUNCTYPE(result, *arguments)(self._table[place] or 0)

    def _tried(self, place: int, *arguments: Any) -> Function:
        """A short function that gives a status."""
        made = ctypes.PYFUNCTYPE(POINTER, *arguments)(self._table[place] or 0)
        made.errcheck = self._errcheck
        return made

    def _lasting(self, place: int, *arguments: Any) -> Function:
        """One that takes its time and gives a status."""
        made = ctypes.CFUNCTYPE(POINTER, *arguments)(self._table[place] or 0)
        made.errcheck = self._errcheck
        return made

    def _check(self, status: int | None, function: object, arguments: object) -> None:
        """Raises what a status tells, and gives it back."""
        if status is None:
            return
        code, message = self._error_code(status), self._error_message(status)
        self._release_status(status)
        raise OrtError(code, message.decode("utf-8", "replace"))


def made(create: Function, *arguments: Any) -> int:
    """The address of what a function makes. Raises OrtError."""
    out = POINTER()
    create(*arguments, ctypes.byref(out))
    if not out.value:
        raise OrtError(1, "nothing was made")
    return out.value


def counted(tell: Function, *arguments: Any) -> int:
    """The number that a function tells. Raises OrtError."""
    out = SIZE()
    tell(*arguments, ctypes.byref(out))
    return out.value


def listed(tell: Function, *arguments: Any) -> list[int]:
    """The addresses in a list that stays the library's. Raises OrtError."""
    first, count = POINTER(), SIZE()
    tell(*arguments, ctypes.byref(first), ctypes.byref(count))
    return [address or 0 for address in (POINTER * count.value).from_address(first.value)] if first.value else []


def text_at(address: int) -> str:
    """The text that begins there."""
    return ctypes.string_at(address).decode("utf-8", "replace")

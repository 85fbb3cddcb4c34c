"""Which way to ONNX Runtime a runtime takes.

Its Python module keeps Python's lock while it opens a session: for seconds nothing else of the process moves, the
avatar included (microsoft/onnxruntime, issue 27063). The packages bring the C library too, and ctypes gives the lock
back while a call lasts. CUDA stays with the module, which also serves where the C library cannot be used.
"""

from __future__ import annotations

from . import binding
from .binding import BindingLibrary
from .library import EpDevice, Library
from .native.ep_devices import ep_devices as native_ep_devices
from .native.library import NativeLibrary
from .native.library import providers as native_providers
from .native.loading import native_api
from .options import CUDA_NAME, CudaOptions, Options


def open_library(options: Options) -> Library:
    """The way to a device."""
    if isinstance(options, CudaOptions):
        return BindingLibrary(options)
    api = native_api()
    return BindingLibrary(options) if api is None else NativeLibrary(api, options)


def providers(runtime: str) -> list[str]:
    """What the installed ONNX Runtime can compute with, by its own names, as the runtime of that name reaches it."""
    api = None if runtime == CUDA_NAME else native_api()
    return binding.providers() if api is None else native_providers(api)


def ep_devices() -> list[EpDevice]:
    """The devices of every provider. Raises the library's own errors."""
    api = native_api()
    return binding.ep_devices() if api is None else native_ep_devices(api)

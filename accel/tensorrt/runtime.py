"""TensorRT on one card: opening it, opening engines in it, and what of that is kept for the next time."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accel.base import FULL, Device, Network, Progress
from core.wire.errors import AccelError, BuildStopped, RuntimeFailed, RuntimeUnavailable

from .api import Context, Engine, EngineRuntime, RuntimeCache
from .builder import EngineMaker
from .cuda_memory import UNKNOWN_NETWORK, CudaCard, installed_package, list_cards, open_card
from .engine_cache import EngineCache
from .library import Library, load_library, module_name
from .options import KINDS, Options, TensorRTRtxOptions
from .progress import Share
from .recipe import Card, EngineRequest, runtime_identity
from .seal import RUNTIME_KERNELS, Refused
from .session import TensorRTSession
from .tensors import CudaTensor

_log = logging.getLogger(__name__)

_BUILT, _BUILT_AGAIN, _OPENED = 0.8, 0.85, 0.9
"""How far opening is when the engine is there (perhaps at the second attempt), and when it is on the card."""


class TensorRTRuntime:
    """One of the two libraries on one card. Networks may be opened in one thread while another runs sessions."""

    def __init__(self, library: Library, options: Options, cuda: CudaCard, cache: EngineCache | None) -> None:
        """Takes over ``cuda`` and closes it. Raises RuntimeFailed when the library does not start."""
        self._library, self._options, self._cuda, self._cache = library, options, cuda, cache
        self._maker = EngineMaker(library, options, cuda.card, cache)
        self._opening = threading.Lock()
        self._sessions: list[TensorRTSession] = []
        self._tensors: weakref.WeakSet[CudaTensor] = weakref.WeakSet()
        self._closed = self._given_back = False
        try:
            with cuda.current():
                self._runtime: EngineRuntime = library.module.Runtime(library.logger)
        except TypeError as problem:  # what the binding makes of the library answering with nothing
            raise RuntimeFailed(
                f"{problem} {library.last_words()}", runtime=library.kind, network=UNKNOWN_NETWORK
            ) from problem

    @property
    def name(self) -> str:
        """``tensorrt`` or ``tensorrt_rtx``."""
        return self._library.kind

    @property
    def device(self) -> Device:
        """The card."""
        return _as_device(self._library.kind, self._cuda.card)

    @property
    def on_host(self) -> bool:
        """The card has memory of its own."""
        return False

    @property
    def lanes(self) -> int:
        """One: a network fills the card."""
        return 1

    def open(
        self,
        network: Network,
        progress: Progress | None = None,
        *,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        precision: str = FULL,
    ) -> TensorRTSession:
        """Make a network ready; see :class:`accel.base.Runtime`.

        ``shapes`` fixes inputs whose sizes the network leaves open, by name. Also raises RuntimeUnavailable when the
        engine is for other cards or a newer driver.
        """
        request = EngineRequest(network, shapes or {}, precision)
        share = Share(self._until_closed(progress), network.name)
        with self._opening, self._cuda.current():
            self._refuse_closed(network.name)
            engine = self._open_engine(request, share)
            if not share.tell(_OPENED):
                raise BuildStopped(network=network.name)
            identity = runtime_identity(self._maker.identity(request), self._cuda.card)
            session, kernels = self._make_session(engine, network, identity)
            try:
                session.warm_up()
                if kernels is not None:
                    self._keep_kernels(identity, kernels)
                if not share.tell(1.0):
                    raise BuildStopped(network=network.name)
            except BaseException:
                session.close()
                raise
            self._sessions = [opened for opened in self._sessions if not opened.closed] + [session]
        return session

    @property
    def builds_engines(self) -> bool:
        """One for each network."""
        return True

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        """Make the engines of these networks that are not there yet; see :class:`accel.base.Runtime`."""
        self.make_engines([EngineRequest(network) for network in networks], progress)

    def make_engines(self, requests: Sequence[EngineRequest], progress: Progress | None = None) -> list[str]:
        """Make those engines that are not there yet, in order, so that opening them is quick.

        See :meth:`.builder.EngineMaker.make_all`.
        """
        with self._opening, self._cuda.current():
            self._refuse_closed(UNKNOWN_NETWORK)
            return self._maker.make_all(requests, self._until_closed(progress))

    def memory(self) -> tuple[int, int]:
        """Free and total bytes of the card."""
        self._refuse_closed(UNKNOWN_NETWORK)
        return self._cuda.memory()

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> CudaTensor:
        """Memory on the card, zeroed. Raises RuntimeFailed when there is not enough."""
        self._refuse_closed(UNKNOWN_NETWORK)
        tensor = CudaTensor(self._cuda, shape, dtype)
        self._tensors.add(tensor)
        return tensor

    def close(self) -> None:
        """Close every session, give all memory back, and the card; safe to call twice. Stops what is being built."""
        self._closed = True
        with self._opening:
            if self._given_back:
                return
            self._given_back = True
            for session in self._sessions:
                session.close()
            for tensor in list(self._tensors):
                tensor.close()
            del self._runtime
            self._cuda.close()

    def _refuse_closed(self, network: str) -> None:
        if self._closed:
            raise RuntimeFailed("the runtime is closed", runtime=self.name, network=network)

    def _until_closed(self, progress: Progress | None) -> Progress:
        return lambda task, fraction: (progress is None or progress(task, fraction)) and not self._closed

    def _open_engine(self, request: EngineRequest, share: Share) -> Engine:
        """The engine; one that the library does not take is made anew, once."""
        for part in (share.part(0.0, _BUILT), share.part(_BUILT, _BUILT_AGAIN)):
            plan = self._maker.engine(request, part)
            if self._library.is_rtx and not self._fits(plan, request.network):
                self._maker.forget(request)
                continue
            engine = self._runtime.deserialize_cuda_engine(plan)
            if engine is not None:
                return engine
            _log.warning("The engine of %s is not taken: %s", request.network.name, "; ".join(self._library.complaints))
            self._maker.forget(request)
        raise RuntimeFailed(self._library.last_words(), runtime=self.name, network=request.network.name)

    def _fits(self, plan: memoryview, network: Network) -> bool:
        """False for an engine that making it anew may mend. Raises for what it cannot."""
        module, runtime = self._library.module, self._runtime
        validity, found = runtime.get_engine_validity(bytes(plan[: runtime.engine_header_size]))
        if validity != module.EngineValidity.__members__["INVALID"]:
            return True
        reasons = {name for name, bit in module.EngineInvalidityDiagnostics.__members__.items() if found & int(bit)}
        if reasons & {"VERSION_MISMATCH", "MALFORMED_ENGINE"}:
            _log.warning("The engine of %s does not fit: %s", network.name, ", ".join(sorted(reasons)))
            return False
        raise self._refusal(reasons, network)

    def _refusal(self, reasons: set[str], network: Network) -> AccelError:
        detail = f"{', '.join(sorted(reasons))} {self._library.last_words()}"
        if "UNSUPPORTED_CC" in reasons:
            return RuntimeUnavailable(detail, runtime=self.name, reason="card_unsupported")
        if reasons & {"OLD_CUDA_DRIVER", "OLD_CUDA_RUNTIME"}:
            return RuntimeUnavailable(detail, runtime=self.name, reason="driver_too_old")
        return RuntimeFailed(detail, runtime=self.name, network=network.name)

    def _make_session(
        self, engine: Engine, network: Network, identity: str
    ) -> tuple[TensorRTSession, RuntimeCache | None]:
        options = self._options
        kernels: RuntimeCache | None = None
        if isinstance(options, TensorRTRtxOptions):
            config = engine.create_runtime_config()
            strategy = "WHOLE_GRAPH_CAPTURE" if options.cuda_graph else "DISABLED"
            config.cuda_graph_strategy = self._library.module.CudaGraphStrategy.__members__[strategy]
            if options.runtime_cache and self._cache is not None:
                kernels = config.create_runtime_cache()
                self._load_kernels(identity, kernels)
                config.set_runtime_cache(kernels)
            context = engine.create_execution_context(config)
        else:
            context = engine.create_execution_context()
        return self._session(engine, context, kernels, network), kernels

    def _session(
        self, engine: Engine, context: Context | None, kernels: RuntimeCache | None, network: Network
    ) -> TensorRTSession:
        if context is None:
            raise RuntimeFailed(self._library.last_words(), runtime=self.name, network=network.name)
        options = self._options
        record = options.cuda_graph and not self._library.is_rtx
        return TensorRTSession(
            self._library, engine, context, self._cuda, network.name, options.pinned_memory, record, kernels
        )

    def _load_kernels(self, identity: str, kernels: RuntimeCache) -> None:
        kept = self._cache.load(identity, RUNTIME_KERNELS) if self._cache is not None else None
        if kept is not None and not isinstance(kept, Refused) and not kernels.deserialize(kept):
            _log.info("The kernels kept for this card do not fit any more and are made again")

    def _keep_kernels(self, identity: str, kernels: RuntimeCache) -> None:
        """Only after a run that was waited for: before, the library may still be writing into them."""
        if self._cache is None:
            return
        content = bytes(kernels.serialize())
        kept = self._cache.load(identity, RUNTIME_KERNELS)
        if kept is None or isinstance(kept, Refused) or kept != content:
            self._cache.store(identity, content, RUNTIME_KERNELS)


def unavailable(kind: str) -> str | None:
    """None when the packages of a kind are installed, else the key of the reason. Loads nothing."""
    if kind not in KINDS:
        return "unknown"
    if module_name(kind) is None:
        return "package_missing"
    return None if installed_package() is not None else "cuda_package_missing"


def devices(kind: str) -> list[Device]:
    """The cards a kind could compute on; empty where something is missing. Makes no CUDA context."""
    return [] if unavailable(kind) else [_as_device(kind, card) for card in list_cards(kind)]


def open_runtime(options: Options, cache: EngineCache | None = None) -> TensorRTRuntime:
    """Open the kind that the options are for, on their card. ``cache``: the user's, unless another is given.

    Raises RuntimeUnavailable with the reason, RuntimeFailed when CUDA or the library does not start.
    """
    reason = unavailable(options.kind)
    if reason:
        raise RuntimeUnavailable(runtime=options.kind, reason=reason)
    cuda = open_card(options.kind, options.device_index)
    try:
        library = load_library(options.kind)
        _refuse_unknown_card(library, cuda.card)
        return TensorRTRuntime(library, options, cuda, cache or _users_cache(options.kind))
    except BaseException:
        cuda.close()
        raise


def _users_cache(kind: str) -> EngineCache | None:
    """None where engines cannot be kept: they can be used all the same."""
    try:
        return EngineCache(kind)
    except RuntimeUnavailable as problem:
        if problem.parameters.get("reason") == "engine_folder_unusable":
            _log.warning("Engines are not kept: %s", problem)
            return None
        raise


def _refuse_unknown_card(library: Library, card: Card) -> None:
    if library.is_rtx and "SM{}{}".format(*card.compute_capability) not in library.module.ComputeCapability.__members__:
        detail = f"{card.name}, compute capability {card.compute_capability}"
        raise RuntimeUnavailable(detail, runtime=library.kind, reason="card_unsupported")


def _as_device(kind: str, card: Card) -> Device:
    return Device(kind, card.index, card.name, card.memory_bytes, card.driver)

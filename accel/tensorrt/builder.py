"""From an ONNX network to an engine: parse, build, tell how far it is, stop when told, keep what was finished."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from accel.base import Network, Progress
from core.wire.errors import (
    BuildStopped,
    EasyVtuberError,
    ModelFileBad,
    NetworkRefused,
    RuntimeFailed,
    RuntimeUnavailable,
)

from .api import BuilderConfig, Definition, Parser, ParserProblem, TimingCache
from .engine_cache import EngineCache
from .library import Library
from .options import NOT_COMPATIBLE, Options, TensorRTOptions, TensorRTRtxOptions
from .progress import BuildWatch, Share, make_monitor
from .recipe import Card, EngineRequest, make_recipe, timing_identity, wanted_capabilities
from .seal import TIMINGS, Refused

_log = logging.getLogger(__name__)


class EngineMaker:
    """Makes engines for a card, or gives those that were made before.

    Without a card they are made ahead of time, which only TensorRT for RTX can.
    """

    def __init__(
        self, library: Library, options: Options, card: Card | None = None, cache: EngineCache | None = None
    ) -> None:
        self._library = library
        self._options = options
        self._card = card
        self._cache = cache

    def identity(self, request: EngineRequest) -> str:
        """What the engine of this request is kept under."""
        return make_recipe(request, self._library, self._options, self._card).identity

    def engine(self, request: EngineRequest, share: Share | None = None) -> memoryview:
        """The engine's bytes, from the cache or made now.

        Raises NetworkRefused, ModelFileBad, RuntimeFailed, BuildStopped, RuntimeUnavailable.
        """
        share = share or Share(None, request.network.name)
        _stop_if_told(share.tell(0.0), request.network)
        kept = self._cache.load(self.identity(request)) if self._cache else None
        if kept is None or isinstance(kept, Refused):
            kept = self._make(request, share)
        _stop_if_told(share.tell(1.0), request.network)
        return kept

    def make_all(self, requests: Sequence[EngineRequest], progress: Progress | None = None) -> list[str]:
        """Make those of several engines that are not there yet, in order; their identities.

        ``progress`` is told the network's name with its number, ``student body (3/5)``, and the fraction of all of
        them. What is finished stays finished: after a stop, or after the process was killed, the rest is made.
        Raises as :meth:`engine`.
        """
        identities = []
        for number, request in enumerate(requests):
            task = f"{request.network.name} ({number + 1}/{len(requests)})"
            share = Share(progress, task, number / len(requests), (number + 1) / len(requests))
            self.engine(request, share)
            identities.append(self.identity(request))
        return identities

    def forget(self, request: EngineRequest) -> None:
        """Remove an engine that turned out not to work."""
        if self._cache is not None:
            self._cache.remove(self.identity(request))

    def _make(self, request: EngineRequest, share: Share) -> memoryview:
        network, library = request.network, self._library
        library.complaints.clear()
        builder = library.module.Builder(library.logger)
        strongly_typed = 1 << int(library.module.NetworkDefinitionCreationFlag.__members__["STRONGLY_TYPED"])
        definition = builder.create_network(strongly_typed)
        parser = library.module.OnnxParser(definition, library.logger)  # holds the weights until the engine is built
        self._parse(parser, definition, request)
        config = builder.create_builder_config()
        self._configure(config, network)
        watch = BuildWatch(share.tell)
        monitor = make_monitor(library.module, watch)
        config.progress_monitor = monitor
        timings = self._attach_timings(config)
        try:
            plan = builder.build_serialized_network(definition, config)
        finally:
            self._keep_timings(timings)
        if watch.problem is not None:
            raise watch.problem
        _stop_if_told(not watch.stopped, network)
        if plan is None:
            raise RuntimeFailed(library.last_words(), runtime=library.kind, network=network.name)
        engine = memoryview(bytes(plan))
        self._keep(request, engine)
        return engine

    def _keep(self, request: EngineRequest, engine: memoryview) -> None:
        if self._cache is not None:
            recipe = make_recipe(request, self._library, self._options, self._card)
            about = {"name": request.network.name, **recipe.as_header()}
            self._cache.store(recipe.identity, engine, about=about)

    def _parse(self, parser: Parser, definition: Definition, request: EngineRequest) -> None:
        network = request.network
        if not parser.parse(network.content):
            problems = [parser.get_error(number) for number in range(parser.num_errors)]
            raise _refusal(problems, self._library, network)
        if definition.num_outputs == 0:  # anything that is no ONNX model is taken for an empty one
            raise ModelFileBad("no outputs", file=network.name, reason="not_a_network")
        for number in range(definition.num_inputs):
            tensor = definition.get_input(number)
            if tensor.name in request.shapes:
                tensor.shape = request.shapes[tensor.name]
            if any(size < 0 for size in tensor.shape):
                raise ModelFileBad(
                    f"input {tensor.name} {tuple(tensor.shape)}", file=network.name, reason="shape_not_fixed"
                )

    def _configure(self, config: BuilderConfig, network: Network) -> None:
        module, options = self._library.module, self._options
        config.builder_optimization_level = options.optimization_level
        if options.workspace_bytes:
            config.set_memory_pool_limit(module.MemoryPoolType.__members__["WORKSPACE"], options.workspace_bytes)
        tf32 = module.BuilderFlag.__members__["TF32"]
        (config.set_flag if options.tf32 else config.clear_flag)(tf32)
        if isinstance(options, TensorRTRtxOptions):
            self._choose_capabilities(config, options)
        elif options.hardware_compatibility != NOT_COMPATIBLE:
            levels = module.HardwareCompatibilityLevel.__members__
            config.hardware_compatibility_level = levels[options.hardware_compatibility.upper()]

    def _choose_capabilities(self, config: BuilderConfig, options: TensorRTRtxOptions) -> None:
        wanted = wanted_capabilities(options, self._card)
        known = self._library.module.ComputeCapability.__members__
        names = ["SM" + capability.replace(".", "") for capability in wanted]
        missing = [capability for capability, name in zip(wanted, names, strict=True) if name not in known]
        if missing:
            raise RuntimeUnavailable(" ".join(missing), runtime=self._library.kind, reason="card_unsupported")
        config.num_compute_capabilities = len(names)
        for number, name in enumerate(names):
            config.set_compute_capability(known[name], number)

    def _attach_timings(self, config: BuilderConfig) -> TimingCache | None:
        """What was timed on this card before. TensorRT for RTX times nothing while it builds."""
        options, card = self._options, self._card
        if not isinstance(options, TensorRTOptions) or not options.timing_cache or card is None or self._cache is None:
            return None
        kept = self._cache.load(timing_identity(self._library, card), TIMINGS)
        timings = config.create_timing_cache(b"" if kept is None or isinstance(kept, Refused) else kept)
        if timings is None or not config.set_timing_cache(timings, False):
            _log.warning("The timings kept for %s do not fit and are made again", card.name)
            timings = config.create_timing_cache(b"")
            if timings is None or not config.set_timing_cache(timings, False):
                return None
        return timings

    def _keep_timings(self, timings: TimingCache | None) -> None:
        """Also after a stop: what was timed until then need not be timed again."""
        if timings is not None and self._cache is not None and self._card is not None:
            content = bytes(timings.serialize())
            self._cache.store(timing_identity(self._library, self._card), content, TIMINGS)


def _stop_if_told(go_on: bool, network: Network) -> None:
    if not go_on:
        raise BuildStopped(network=network.name)


def _refusal(problems: Iterable[ParserProblem], library: Library, network: Network) -> EasyVtuberError:
    """NetworkRefused with the operators where the parser names any, else ModelFileBad: it is no network at all."""
    problems = list(problems)
    named = [problem for problem in problems if problem.node() >= 0 and problem.node_operator()]
    detail = "; ".join(_in_words(problem) for problem in problems) or library.last_words()
    if named:
        operators = ", ".join(dict.fromkeys(problem.node_operator() for problem in named))
        return NetworkRefused(detail, runtime=library.kind, network=network.name, operators=operators)
    return ModelFileBad(detail, file=network.name, reason="not_a_network")


def _in_words(problem: ParserProblem) -> str:
    where = ""
    if problem.node() >= 0:
        where = f"node {problem.node()} {problem.node_name() or '(no name)'} [{problem.node_operator()}]: "
    return where + " ".join(problem.desc().split())

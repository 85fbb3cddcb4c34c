"""From a variant's files to the networks that are run: what is changed in the graphs, in memory only.

The decomposer and the combiner stay as they are. The morpher is cut where it pastes the face crop into the whole
picture, so that only crops need be remembered. The last network gives our picture and its motion fields.
"""

from __future__ import annotations

from dataclasses import dataclass

from onnx import ModelProto

from accel.base import Network
from core.wire.errors import ModelFileBad
from models.safe_onnx import load_onnx

from .colour import deliver_picture
from .contract import CROP_SIDE, GraphContract
from .files import ThaFiles
from .graphs import NetworkGraph, sample_in_float32
from .motion import FieldNames, coarse_network, find_fields

_RESULT = "result"


@dataclass(frozen=True, slots=True)
class ThaNetworks:
    """Everything that a runtime must open."""

    decomposer: Network
    combiner: Network
    morpher: Network
    """Gives the output ``crop``, or the morpher's own outputs where there is no ``paste``."""
    crop: str | None
    """The morpher's output that ``paste`` reads; None where the crop could not be cut out."""
    paste: Network | None
    body: Network
    final: Network
    """Gives ``picture`` (see :func:`models.tha.colour.deliver_picture`) and the fields where there are any."""
    fields: FieldNames | None
    coarse: Network | None
    """From the fields to a coarse warp (see :func:`models.tha.motion.coarse_network`)."""

    @property
    def all(self) -> tuple[Network, ...]:
        """All of them, in the order they run."""
        named = (self.decomposer, self.combiner, self.morpher, self.paste, self.body, self.final, self.coarse)
        return tuple(network for network in named if network is not None)


def prepare(files: ThaFiles) -> ThaNetworks:
    """Read a variant's files and make its networks. Raises ModelFileBad."""
    variant = files.variant
    morpher = _read(files, variant.morpher)
    crop = find_crop(morpher, variant.morpher)
    outputs = [tensor.name for tensor in variant.morpher.outputs]
    fixed = variant.morpher.inputs[0].name
    final = _read(files, variant.final)
    fields = find_fields(final, variant.warped, _RESULT)
    return ThaNetworks(
        decomposer=_network(files, variant.decomposer.name, _read(files, variant.decomposer).model),
        combiner=_network(files, variant.combiner.name, _read(files, variant.combiner).model),
        morpher=_network(
            files, variant.morpher.name, morpher.cut(morpher.inputs, [crop] if crop is not None else outputs)
        ),
        crop=crop,
        paste=_network(files, "paste", morpher.cut([fixed, crop], outputs)) if crop is not None else None,
        body=_network(files, variant.body.name, _read(files, variant.body).model),
        final=_delivering(
            files,
            variant.final.name,
            final.cut(final.inputs, [_RESULT, *(fields.all if fields is not None else ())]),
        ),
        fields=fields,
        coarse=coarse_network(final, fields) if fields is not None else None,
    )


def find_crop(graph: NetworkGraph, contract: GraphContract) -> str | None:
    """The face crop in the morpher's graph, at the last place where everything passes through it.

    That is the tensor of a crop's shape without which nothing but the character's own picture would be left. None
    where there is no such tensor.
    """
    outputs = [tensor.name for tensor in contract.outputs]
    fixed = contract.inputs[0].name
    changing = set(graph.inputs) - {fixed}
    made = [str(name) for node in graph.model.graph.node for name in node.output]
    for name in reversed(made):
        known = graph.type_of(name)
        if known is None or known[1] != (1, 4, CROP_SIDE, CROP_SIDE):
            continue
        needed = graph.needed(outputs, [name])
        if name in needed and not needed & changing:
            return name
    return None


def _read(files: ThaFiles, graph: GraphContract) -> NetworkGraph:
    file = files.relative(graph)
    model = load_onnx(files.path(graph), file)
    try:
        sample_in_float32(model)
        return NetworkGraph(model)
    except ModelFileBad as problem:
        raise ModelFileBad(f"{file}: {problem.detail}", file=file, reason="damaged") from problem


def _delivering(files: ThaFiles, name: str, model: ModelProto) -> Network:
    deliver_picture(model, _RESULT)
    return _network(files, name, model)


def _network(files: ThaFiles, name: str, model: ModelProto) -> Network:
    return Network(f"{files.variant.family.upper()} {name}", model.SerializeToString())

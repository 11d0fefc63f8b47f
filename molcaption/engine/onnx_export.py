"""From torch to ONNX: encoder and projector as one graph, the decoder as another.

The bridge goes through ``torch.onnx`` (dynamo), with free numbers of atoms, bonds and molecules.
The decoder goes through onnxruntime-genai's model builder, which fuses grouped-query attention and
rotary embeddings; its own runtime cannot be fed embeddings, ours can (runtimes/session.py). Its
head is then changed to see only the last position of each row: over the whole prompt, logits would
take gigabytes.
"""

import errno
import logging
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from molcaption.chem.graph import ATOM_VOCABULARY, BOND_VOCABULARY
from molcaption.engine.bundle import BRIDGE, DECODER, EMBEDDINGS, FAST, DecoderShape
from molcaption.engine.onnx_files import ROTARY, write_gather, write_graph
from molcaption.engine.onnx_integers import multiply_integers
from molcaption.engine.packed import FloatArray, pack_rows
from molcaption.errors import BadDataError, CannotWriteError, MissingError
from molcaption.nn.bridge import Bridge

_GRAPH_INPUTS = ("x", "edge_index", "edge_attr", "batch", "sizes")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SENSITIVE = re.compile(r"layers\.(\d+)\..*\.(?:qkv_proj|v_proj|down_proj)\.")


class _Traced(nn.Module):
    """A bridge with plain arguments; ``sizes`` [B] (atoms per molecule) carries B as a shape."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge

    def forward(
        self,
        x: Tensor,
        edge_index: Tensor,
        edge_attr: Tensor,
        batch: Tensor,
        sizes: Tensor,
        *features: Tensor,
    ) -> tuple[Tensor, ...]:
        tokens = self.bridge.encoder(x, edge_index, edge_attr, batch, sizes.shape[0])
        projected: Tensor = self.bridge.projector(tokens)
        if self.bridge.profile is None:
            return (projected,)
        return projected, self.bridge.profile(features[0])


def export_bridge(bridge: Bridge, directory: Path, storage: str) -> None:
    """Write ``bridge.onnx`` and ``bridge.npz``.

    Inputs: x [N, 9], edge_index [2, E], edge_attr [E, 3], batch [N], sizes [B], all int64, and
    where the bridge has profile tokens features [B, F], float32;
    outputs: graph_tokens [B, Q, D], and profile_tokens [B, R, D].
    """
    atoms, bonds, molecules = (torch.export.Dim(n) for n in ("atoms", "bonds", "molecules"))
    axes: tuple[Any, ...] = ({0: atoms}, {1: bonds}, {0: bonds}, {0: atoms}, {0: molecules})
    names, outputs, example = [*_GRAPH_INPUTS], ["graph_tokens"], _example_batch()
    if bridge.profile is not None:
        width = bridge.profile.config.features
        names, outputs = [*names, "features"], [*outputs, "profile_tokens"]
        axes, example = (*axes, ({0: molecules},)), (*example, torch.ones(3, width))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, we do not
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside torch's own exporter
        program = torch.onnx.export(
            _Traced(bridge).float().cpu().eval(),
            example,
            dynamo=True,
            input_names=names,
            output_names=outputs,
            dynamic_shapes=axes,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    write_graph(program.model_proto, directory, BRIDGE, lambda _: storage)


def export_decoder(
    llm_directory: Path, llm: Any, directory: Path, weights: str, target: str, max_positions: int
) -> DecoderShape:
    """Write ``decoder.onnx``, ``decoder.npz``, the embedding table, and what the target needs.

    Inputs: inputs_embeds [B, S, D], attention_mask [B, T] (int64, ones first), last_position
    [B, 1] (where in S each row's logits are wanted), past keys and values; outputs: logits [B, V],
    present keys and values.

    Args:
        llm_directory: a plain Hugging Face model (Llama or Qwen3 architecture).
        llm: the same model in memory.
        weights: one of `bundle.WEIGHTS`; of ``int4`` some matrices keep 8 bits.
        target: one of `bundle.TARGETS`; the graph computes in float32, for ``cuda`` in float16.
        max_positions: longest prompt and caption together; the rotary tables are cut to it.

    Raises:
        MissingError: onnxruntime-genai is not installed.
        BadDataError: the builder refuses the model.
        CannotWriteError: no room for the builder's temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="molcaption-export-") as scratch:
        _build(llm_directory, Path(scratch), target)
        model = onnx.load(str(Path(scratch) / "model.onnx"))
        _head_sees_last_position(model.graph)
        turned = multiply_integers(model, _bears_rounding) if weights == FAST else {}
    positions = _cut_rotary_tables(model.graph, max_positions)
    shape = _shape(model.graph, positions, [*turned])
    storage = stored_as(weights)
    storage_of = _mixed(shape.layers) if storage == "int4" else lambda _: storage
    write_graph(model, directory, DECODER, storage_of, turned)
    if target == "cuda":
        write_gather(directory)
    table: FloatArray = llm.get_input_embeddings().weight.detach().float().cpu().numpy()
    np.save(directory / EMBEDDINGS, pack_rows(table, storage))
    return shape


def stored_as(weights: str) -> str:
    """How the weights of a bundle are stored, but for the 8-bit ones of ``int4``."""
    return "int8" if weights == FAST else weights


def _bears_rounding(product: str) -> bool:
    """All but the down projections, whose inputs have outliers that leave the others no bits."""
    return "down_proj" not in product


def _mixed(layers: int) -> Callable[[str], str]:
    """4 bits, but 8 for the matrices that suffer most from 4.

    These are the head and, in the first and last eighth of the layers and every third between, the
    values' and the down projection. The choice is llama.cpp's for its files "Q4_K_M"; onnxruntime-
    genai calls it ``k_quant_mixed``.
    """

    def storage(name: str) -> str:
        found = _SENSITIVE.search(name)
        layer = int(found[1]) if found else -1
        outer = layer < layers / 8 or layer >= 7 * layers / 8
        often = found and (outer or (layer - round(layers / 8)) % 3 == 2)
        return "int8" if often or name.startswith("lm_head") else "int4"

    return storage


def _build(llm_directory: Path, output: Path, target: str) -> None:
    """Run the builder in its own process: it prints, caches and loads the model once more."""
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
    command += ["-i", str(llm_directory), "-o", str(output), "-c", str(output / "cache")]
    command += ["-e", target, "-p", "fp16" if target == "cuda" else "fp32"]
    command += ["--extra_options", "exclude_embeds=true"]
    if target == "cuda":  # fused, norms of queries and keys need the newest onnxruntime, and a GPU
        command += ["fuse_qk_norm_gqa=false"]
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if result.returncode == 0 and (output / "model.onnx").is_file():
        return
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    reason = lines[-1].strip() if lines else f"exit code {result.returncode}"
    if any(os.strerror(code) in reason for code in _NO_ROOM):
        raise CannotWriteError(f"{output}: {reason}; TMPDIR names another folder")
    if "No module named" in reason:
        raise MissingError(f"export: {reason}; pip install 'molcaption[train]'")
    raise BadDataError(f"{llm_directory}: onnxruntime-genai cannot export it: {reason}")


def _head_sees_last_position(graph: onnx.GraphProto) -> None:
    """Gather the wanted position of each row before the head: logits become [B, V]."""
    index, head = next((i, n) for i, n in enumerate(graph.node) if "logits" in n.output)
    graph.input.append(
        helper.make_tensor_value_info("last_position", TensorProto.INT64, ["batch_size", 1])
    )
    gather = helper.make_node(
        "GatherND", [head.input[0], "last_position"], ["last_states"], batch_dims=1
    )
    head.input[0] = "last_states"
    graph.node.insert(index, gather)
    logits = next(output for output in graph.output if output.name == "logits")
    kind = logits.type.tensor_type
    logits.CopyFrom(
        helper.make_tensor_value_info(
            "logits", kind.elem_type, ["batch_size", kind.shape.dim[2].dim_value]
        )
    )
    stale = [info for info in graph.value_info if info.name == "logits"]
    for info in stale:
        graph.value_info.remove(info)


def _cut_rotary_tables(graph: onnx.GraphProto, max_positions: int) -> int:
    """Keep the first rows of the cosine and sine tables; returns how many there are."""
    positions = max_positions
    for tensor in graph.initializer:
        if tensor.name in ROTARY:
            table = numpy_helper.to_array(tensor)[:max_positions]
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(table), tensor.name))
            positions = min(positions, len(table))
    return positions


def _shape(graph: onnx.GraphProto, positions: int, integers: list[str]) -> DecoderShape:
    inputs: Mapping[str, list[int]] = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in graph.input
    }
    attention = next(node for node in graph.node if node.op_type == "GroupQueryAttention")
    kv_heads = inputs["past_key_values.0.key"][1]
    rotary = next(tensor for tensor in graph.initializer if tensor.name == "cos_cache")
    logits = next(output for output in graph.output if output.name == "logits")
    if len(attention.input) < 9:
        raise BadDataError("export: the builder left rotary embeddings outside the attention")
    return DecoderShape(
        layers=sum(name.endswith(".key") for name in inputs),
        kv_heads=kv_heads,
        head_dim=2 * rotary.dims[1],
        width=inputs["inputs_embeds"][2],
        vocabulary=logits.type.tensor_type.shape.dim[1].dim_value,
        positions=positions,
        integers=integers,
    )


def _example_batch() -> tuple[Tensor, ...]:
    """Three small made-up molecules, so that no dimension is 0 or 1 while tracing."""
    atoms = torch.zeros(9, len(ATOM_VOCABULARY), dtype=torch.long)
    bonds = torch.tensor([[0, 1, 3, 4, 6, 7], [1, 0, 4, 3, 7, 6]])
    attributes = torch.zeros(6, len(BOND_VOCABULARY), dtype=torch.long)
    batch = torch.arange(3).repeat_interleave(3)
    return atoms, bonds, attributes, batch, torch.full((3,), 3)

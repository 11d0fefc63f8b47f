"""Molecules as vectors in a captioner's own space: what it sees, without what it says.

A molecule's vector is the mean of its graph tokens, taken after the projector where there is one.
From a bundle they come through onnxruntime and the decoder is never opened; a stage's directory of
a run needs torch.

Dims: B molecules, Q graph tokens, D width.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molcaption.chem.graph import Graph
from molcaption.engine import bundle
from molcaption.engine.packed import FloatArray
from molcaption.errors import MissingError

_BATCH = 64
_CONFIG = "captioner.json"  # model_dir.CONFIG, which lies behind torch
_STAGES = (".", "finetune", "align", "encoder")
"""Where in a run's folder the furthest trained bridge lies."""

GraphTokens = Callable[[Sequence[Graph]], FloatArray]  # molecules to [B, Q, D]


def load_graph_vectors(
    path: str | Path,
) -> Callable[[Sequence[Graph]], NDArray[np.float64]]:
    """A function from molecules to vectors [B, D], through the model at ``path``.

    Args:
        path: a bundle, a merged model, or a run's folder or one of its stages.

    Raises:
        MissingError: none of these, or a file of it is missing.
        BadDataError: a damaged model.
    """
    tokens = _graph_tokens(Path(path))

    def vectors(graphs: Sequence[Graph]) -> NDArray[np.float64]:
        batches = [graphs[i : i + _BATCH] for i in range(0, len(graphs), _BATCH)]
        return np.concatenate([tokens(b).mean(axis=1, dtype=np.float64) for b in batches])

    return vectors


def _graph_tokens(path: Path) -> GraphTokens:
    if (path / bundle.MANIFEST).is_file():
        return _from_bundle(path)
    for stage in _STAGES:
        if (path / stage / _CONFIG).is_file():
            return _from_stage(path / stage)
    raise MissingError(
        f"model {path}: holds no captioner; give a bundle (made by `molcaption export`), a merged "
        "model or the folder of a run"
    )


def _from_bundle(path: Path) -> GraphTokens:
    from molcaption.engine.runtimes.session import BridgeSession

    bundle.load_manifest(path)  # refuses a damaged bundle
    return BridgeSession(path).graph_tokens


def _from_stage(path: Path) -> GraphTokens:
    import torch

    from molcaption.engine.embed import encode_graphs
    from molcaption.engine.model_dir import load_bridge, load_encoder, read_config

    config = read_config(path, "molcaption pretrain")
    project: torch.nn.Module = torch.nn.Identity()
    if config.projector is None:
        encoder = load_encoder(path, config)
    else:
        bridge = load_bridge(path, config)
        encoder, project = bridge.encoder, bridge.projector

    @torch.no_grad()
    def run(graphs: Sequence[Graph]) -> FloatArray:
        tokens: FloatArray = project.eval()(encode_graphs(encoder, graphs)).numpy()
        return tokens

    return run

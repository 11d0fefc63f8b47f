"""How far a bundle is from torch, measured on molecules: vectors, logits, captions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molcaption.data.collate import view_tensors
from molcaption.engine.merged import MergedModel
from molcaption.engine.questions import Question
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.engine.runtimes.torch import TorchRuntime

_BATCH = 32


def measure_parity(
    model: MergedModel,
    directory: Path,
    molecules: Sequence[Question],
    *,
    max_new_tokens: int | None = None,
) -> dict[str, Any]:
    """Compare a bundle with the model it was made from.

    Returns:
        Largest difference of the graph tokens (the bridge) and of the logits of the
        first caption token, the share of equal greedy captions, and how many molecules.
    """
    onnx, reference = OnnxRuntime.load(directory), TorchRuntime(model, "")
    tokens, logits = 0.0, 0.0
    for start in range(0, len(molecules), _BATCH):
        chunk = molecules[start : start + _BATCH]
        tokens = max(tokens, _token_difference(onnx, reference, chunk))
        logits = max(logits, _logit_difference(onnx, reference, chunk))
    ours = onnx.generate(molecules, max_new_tokens=max_new_tokens)
    theirs = reference.generate(molecules, max_new_tokens=max_new_tokens)
    equal = [a.text == b.text for a, b in zip(ours, theirs, strict=True)]
    return {
        "molecules": len(molecules),
        "graph_tokens_max_difference": tokens,
        "logits_max_difference": logits,
        "equal_captions": sum(equal) / len(equal),
    }


@torch.inference_mode()
def _token_difference(
    onnx: OnnxRuntime, reference: TorchRuntime, chunk: Sequence[Question]
) -> float:
    seen = [view for view, _ in chunk]
    expected = reference.model.captioner.bridge(**view_tensors(seen)).float().numpy()
    return float(np.abs(onnx.tokens(seen) - expected).max())


@torch.inference_mode()
def _logit_difference(
    onnx: OnnxRuntime, reference: TorchRuntime, chunk: Sequence[Question]
) -> float:
    prompts = [reference.model.encode(smiles) for _, smiles in chunk]
    embeds, mask = reference.prompt_batch([view for view, _ in chunk], prompts)
    llm = reference.model.captioner.llm
    expected = llm(inputs_embeds=embeds, attention_mask=mask, logits_to_keep=1).logits[:, -1]
    got = onnx.first_logits(onnx.embed_prompts(chunk))
    return float(np.abs(got - expected.float().numpy()).max())

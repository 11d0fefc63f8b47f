"""How far a bundle is from the model it was made of, measured on molecules.

Vectors, logits, captions; then what matters to a user: how good the captions of both are, how large
both are and how fast.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.data.collate import view_tensors
from molcaption.engine.merged import MergedModel
from molcaption.engine.packed import FloatArray
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Runtime
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.engine.runtimes.torch import TorchRuntime
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import NO_WORDNET

_BATCH = 32


def measure_parity(
    model: MergedModel,
    model_dir: Path,
    directory: Path,
    molecules: Sequence[Question],
    references: Sequence[str] | None = None,
    *,
    max_new_tokens: int | None = None,
) -> dict[str, Any]:
    """Compare the bundle ``directory`` with ``model``, which lies in ``model_dir``.

    Args:
        references: a description of each molecule, to score both against.

    Returns:
        How many molecules; largest and mean difference of the graph tokens (the bridge, profile
        tokens included) and of the logits of the first caption token; the share of equal greedy
        captions; for ``model`` and for ``bundle`` their bytes, captions a second, the share of
        captions with a refuted claim and, with references, BLEU-4; and the recipe of that BLEU-4.
    """
    onnx, reference = OnnxRuntime.load(directory), TorchRuntime(model, "")
    tokens, logits = _Difference(), _Difference()
    for start in range(0, len(molecules), _BATCH):
        chunk = molecules[start : start + _BATCH]
        tokens.add(onnx.tokens([view for view, _ in chunk]), _torch_tokens(reference, chunk))
        logits.add(onnx.first_logits(chunk), _torch_logits(reference, chunk))
    sides: dict[str, dict[str, Any]] = {}
    captions: list[list[str]] = []
    for name, runtime, files in (("model", reference, model_dir), ("bundle", onnx, directory)):
        seconds, texts = _timed(runtime, molecules, max_new_tokens)
        sides[name] = {
            "bytes": sum(path.stat().st_size for path in files.iterdir() if path.is_file()),
            "captions_per_second": round(len(texts) / seconds, 3),
            "refuted": _refuted(texts, [smiles for _, smiles in molecules]),
        }
        captions.append(texts)
    parity: dict[str, Any] = {
        "molecules": len(molecules),
        **tokens.named("graph_tokens"),
        **logits.named("logits"),
        "equal_captions": float(np.mean([a == b for a, b in zip(*captions, strict=True)])),
        **sides,
    }
    if references is not None:
        _add_bleu(parity, dict(zip(sides, captions, strict=True)), references)
    return parity


class _Difference:
    """Largest and mean absolute difference of arrays that come in parts."""

    def __init__(self) -> None:
        self._largest, self._sum, self._count = 0.0, 0.0, 0

    def add(self, got: FloatArray, expected: FloatArray) -> None:
        difference = np.abs(got - expected)
        self._largest = max(self._largest, float(difference.max()))
        self._sum += float(difference.sum(dtype=np.float64))
        self._count += difference.size

    def named(self, what: str) -> dict[str, float]:
        return {
            f"{what}_max_difference": self._largest,
            f"{what}_mean_difference": self._sum / self._count,
        }


@torch.inference_mode()
def _torch_tokens(reference: TorchRuntime, chunk: Sequence[Question]) -> FloatArray:
    bridge = reference.model.captioner.bridge
    tokens: FloatArray = bridge(**view_tensors([view for view, _ in chunk])).float().numpy()
    return tokens


@torch.inference_mode()
def _torch_logits(reference: TorchRuntime, chunk: Sequence[Question]) -> FloatArray:
    prompts = [reference.model.encode(smiles) for _, smiles in chunk]
    embeds, mask = reference.model.prompt_batch([view for view, _ in chunk], prompts)
    llm = reference.model.captioner.llm
    output = llm(inputs_embeds=embeds, attention_mask=mask, logits_to_keep=1)
    logits: FloatArray = output.logits[:, -1].float().numpy()
    return logits


def _timed(
    runtime: Runtime, molecules: Sequence[Question], max_new_tokens: int | None
) -> tuple[float, list[str]]:
    start = time.perf_counter()
    made = runtime.generate(molecules, max_new_tokens=max_new_tokens)
    return time.perf_counter() - start, [generation.text for generation in made]


def _refuted(captions: Sequence[str], smiles: Sequence[str]) -> float:
    """Share of captions with a claim that the structure contradicts."""
    lexicon = load_lexicon()
    checks = [
        check_caption(parse_smiles(structure), caption, lexicon)
        for structure, caption in zip(smiles, captions, strict=True)
    ]
    return float(np.mean([check.n_contradicted > 0 for check in checks]))


def _add_bleu(
    parity: dict[str, Any], captions: dict[str, list[str]], references: Sequence[str]
) -> None:
    for name, texts in captions.items():
        score = compute("bleu4", Corpus(texts, references, load_tokenizer("word"), NO_WORDNET))
        parity[name]["bleu4"] = score.value
        parity["bleu4_signature"] = score.signature

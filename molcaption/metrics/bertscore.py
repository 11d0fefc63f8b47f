"""BERTScore with an encoder that lies on this machine (Zhang et al. 2020).

Greedy matching of contextual embeddings by cosine, as the package `bert_score` does it without
importance weights and without rescaling: `[CLS]` and `[SEP]` may be matched but do not count. The
model is never downloaded and there is no default, because scores compare only under one model and
layer. torch and transformers (extra `train`) are imported when the score is asked for.
"""

import hashlib
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molcaption.errors import BadDataError, MissingError, NoInputError

MAX_TOKENS = 512
Floats = npt.NDArray[np.float64]


def bertscore(
    captions: Sequence[str],
    references: Sequence[str],
    model_dir: str | Path,
    *,
    layer: int = -1,
    batch_size: int = 32,
) -> dict[str, Floats]:
    """Precision, recall and F1 of each of N captions against its reference.

    Args:
        model_dir: a transformers encoder with its tokenizer, as ``save_pretrained`` writes them.
        layer: index into the hidden states: 0 are the embeddings, -1 is the last layer.

    Shapes:
        result: ``precision``, ``recall`` and ``f1``, each [N], at most 1; an empty text scores 0.

    Raises:
        ValueError: captions and references differ in number.
        NoInputError: ``model_dir`` is no directory.
        BadDataError: transformers cannot load it, or it has no such layer.
        MissingError: torch or transformers is not installed.
    """
    encoder = _Encoder(Path(model_dir), layer)
    pairs = list(zip(captions, references, strict=True))
    rows: list[tuple[float, float]] = []
    for start in range(0, len(pairs), batch_size):
        left, right = zip(*pairs[start : start + batch_size], strict=True)
        rows += map(_greedy, encoder.states(left), encoder.states(right))
    precision, recall = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return {"precision": precision, "recall": recall, "f1": f1}


def bertscore_settings(model_dir: str | Path, layer: int = -1) -> dict[str, str]:
    """What a signature has to say of `bertscore`: the model with its configuration's hash."""
    folder = Path(model_dir).resolve()
    digits = hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()[:8]
    return {
        "model": f"{folder.name}-{digits}",
        "layer": str(layer),
        "idf": "no",
        "rescale": "no",
        "transformers": version("transformers"),
    }


class _Encoder:
    """Unit-length hidden states of texts, and which of their tokens count."""

    def __init__(self, folder: Path, layer: int) -> None:
        if not folder.is_dir():
            raise NoInputError(f"{folder}: no such directory; BERTScore needs a local model")
        try:
            import torch
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils.logging import disable_progress_bar
        except ImportError as error:
            raise MissingError(f"BERTScore: {error}; pip install 'molcaption[train]'") from error
        disable_progress_bar()  # of reading a file that is there
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, KeyError) as error:
            line = str(error).strip().split("\n")[0]
            raise BadDataError(f"{folder}: not a transformers encoder: {line}") from error
        n_layers = self._model.config.num_hidden_layers
        if not -n_layers - 1 <= layer <= n_layers:
            raise BadDataError(f"{folder}: has layers 0 to {n_layers}, got {layer}")
        self._torch, self._layer = torch, layer

    def states(self, texts: Sequence[str]) -> Iterator[tuple[Any, Any]]:
        """For each text its states [T, D] and a mask [T] of the tokens that are not special."""
        inputs = self._tokenizer(
            list(texts), return_tensors="pt", padding=True, truncation=True,
            max_length=MAX_TOKENS, return_special_tokens_mask=True,
        )  # fmt: skip
        special = inputs.pop("special_tokens_mask").bool()
        present = inputs["attention_mask"].bool()
        with self._torch.inference_mode():
            hidden = self._model(**inputs, output_hidden_states=True).hidden_states[self._layer]
        hidden = self._torch.nn.functional.normalize(hidden.float(), dim=-1)
        for row, here, marks in zip(hidden, present, special, strict=True):
            yield row[here], ~marks[here]


def _greedy(caption: tuple[Any, Any], reference: tuple[Any, Any]) -> tuple[float, float]:
    """Mean cosine of each token with its best match on the other side (their equation 1)."""
    (left, counts_left), (right, counts_right) = caption, reference
    if not counts_left.any() or not counts_right.any():
        return 0.0, 0.0
    cosines = left @ right.T
    precision = cosines.max(dim=1).values[counts_left].mean()
    recall = cosines.max(dim=0).values[counts_right].mean()
    return float(precision), float(recall)

"""A merged model directory in memory: bridge and backbone, ready to caption.

``merge`` writes ``captioner.json`` (sizes, prompt, limits), ``bridge.safetensors``, the backbone as
plain Hugging Face files and, for a captioner that reads features, ``features.json``. Weights are
loaded strictly: a missing or surplus tensor is an error, never a warning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM

from molcaption.data.collate import padded, to_device, view_tensors
from molcaption.data.features import FeatureVocabulary, MoleculeView
from molcaption.data.prompt import PromptTemplate
from molcaption.engine.model_dir import BRIDGE, CONFIG, load_bridge, read_config
from molcaption.errors import BadDataError, MissingError
from molcaption.nn.backbone import best_device
from molcaption.nn.captioner import Captioner

MERGED_FILES = (CONFIG, BRIDGE, "config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True)
class MergedModel:
    """A captioner with all that is needed to prompt it and to read its answer.

    Attributes:
        vocabulary: the features that it reads; None for a captioner that looks at graphs alone.
        provenance: molcaption's version, recipe name and recipe hash.
    """

    captioner: Captioner
    tokenizer: Tokenizer
    prompt: PromptTemplate
    vocabulary: FeatureVocabulary | None
    end_token_ids: list[int]
    max_prompt_tokens: int
    max_new_tokens: int
    no_repeat_ngram: int
    draws: int
    provenance: dict[str, str]

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.provenance.get("recipe_name", "captioner")

    def encode(self, smiles: str) -> list[int]:
        """Token ids of the prompt for one molecule."""
        return self.prompt.encode(self.tokenizer, smiles, self.max_prompt_tokens)

    @torch.inference_mode()
    def prompt_batch(
        self, views: Sequence[MoleculeView], prompts: Sequence[Sequence[int]]
    ) -> tuple[Tensor, Tensor]:
        """Prompts as vectors [B, T, D] padded on the left, and their mask [B, T].

        On the left, since ``generate`` is silently wrong with padding on the right.
        """
        device = next(self.captioner.parameters()).device
        ids, mask = padded(prompts, self.end_token_ids[0], left=True)
        embeds = self.captioner.embed(ids.to(device), to_device(view_tensors(views), device))
        return embeds, mask.to(device)


def load_merged(directory: Path, *, device: str | None = None) -> MergedModel:
    """Load a merged model directory; bfloat16 on CUDA, float32 on a CPU.

    Raises:
        MissingError: a file is missing; naming ``molcaption merge`` where that writes it.
        BadDataError: a file is damaged, or does not fit the others.
    """
    check_merged(directory)
    device = device or best_device()
    config = read_config(directory, "molcaption merge")
    if config.prompt is None:
        raise BadDataError(f"{directory / CONFIG}: stage {config.stage}, expected a merged model")
    bridge = load_bridge(directory, config)
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    llm, tokenizer = _load_backbone(directory, dtype)
    captioner = Captioner(bridge, llm, config.graph_token_id)
    return MergedModel(
        captioner=captioner.eval().to(device),
        tokenizer=tokenizer,
        prompt=config.prompt,
        vocabulary=FeatureVocabulary.load(directory) if config.profile else None,
        end_token_ids=config.end_token_ids,
        max_prompt_tokens=config.max_prompt_tokens,
        max_new_tokens=config.max_new_tokens,
        no_repeat_ngram=config.no_repeat_ngram,
        draws=config.draws,
        provenance=config.provenance,
    )


def check_merged(directory: Path) -> None:
    """Refuse a directory that is no merged model, without loading it.

    Raises:
        MissingError: what is missing, and which command writes it.
    """
    if not directory.is_dir():
        raise MissingError(f"model {directory}: no such directory")
    missing = [name for name in MERGED_FILES if not (directory / name).is_file()]
    if "model.safetensors" in missing and (directory / "model.safetensors.index.json").is_file():
        missing.remove("model.safetensors")  # a large backbone is saved in pieces
    if (directory / "adapter_config.json").is_file():
        raise MissingError(
            f"model {directory}: holds an adapter beside its backbone; run `molcaption merge` first"
        )
    if "config.json" in missing:
        raise MissingError(
            f"model {directory}: not merged, {missing[0]} is missing; run `molcaption merge` first"
        )
    if missing:
        raise MissingError(
            f"model {directory}: incomplete, {missing[0]} is missing; "
            "make it again with `molcaption merge`"
        )


def _load_backbone(directory: Path, dtype: torch.dtype) -> tuple[Any, Tokenizer]:
    try:
        llm = AutoModelForCausalLM.from_pretrained(directory, dtype=dtype)
        return llm, Tokenizer.from_file(str(directory / "tokenizer.json"))
    # tokenizers raises bare Exception for a damaged file
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise BadDataError(
            f"model {directory}: cannot be loaded: {type(error).__name__}: {reason}; "
            "make it again with `molcaption merge`"
        ) from error

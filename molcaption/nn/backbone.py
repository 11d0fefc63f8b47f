"""The language model: loaded from a hub name or directory, or built small and untrained.

The only module that knows bitsandbytes and peft. Any ``AutoModelForCausalLM`` is a backbone.
The graph token is added to the tokenizer without touching the embedding where the model has spare
rows (Qwen3 pads its vocabulary to 151,936 for 151,669 tokens); its row is always overwritten by the
projector, so it needs no training.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.utils.logging import disable_progress_bar

from molcaption.data.prompt import END, GRAPH_TOKEN, PAD
from molcaption.errors import BadRecipeError, MissingError

_log = logging.getLogger(__name__)
Llm = Any
"""A transformers causal language model, or a peft model around one: they share no public type."""
disable_progress_bar()  # bars of single files between our own lines say nothing


def load_tokenizer(path: str) -> PreTrainedTokenizerFast:
    """Tokenizer of a backbone, with the graph token added.

    Raises:
        MissingError: no such directory, and no such hub model in reach.
    """
    tokenizer = _from_pretrained(AutoTokenizer, path)
    tokenizer.add_tokens([GRAPH_TOKEN], special_tokens=True)
    return tokenizer


def load_llm(
    path: str,
    tokenizer: PreTrainedTokenizerFast,
    *,
    quantization: str = "none",
    device: str = "cpu",
) -> Llm:
    """Weights of a backbone, frozen, with a row for every token of ``tokenizer``.

    Args:
        quantization: ``none``, or ``nf4`` (4-bit NormalFloat with double quantisation; Dettmers et
            al., "QLoRA", NeurIPS 2023, section 3).
        device: where it will run; decides the compute type (bfloat16 on CUDA, else float32).
    """
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    options: dict[str, Any] = {"dtype": dtype}
    if quantization == "nf4":
        options["quantization_config"] = _nf4(dtype)
        options["device_map"] = {"": device}
    llm = _from_pretrained(AutoModelForCausalLM, path, **options)
    if len(tokenizer) > llm.get_input_embeddings().num_embeddings:
        llm.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=8, mean_resizing=False)
    llm.requires_grad_(False)
    return llm


def build_scratch(tokenizer: PreTrainedTokenizerFast, **sizes: int) -> Qwen3ForCausalLM:
    """An untrained decoder of the Qwen3 architecture with tied embeddings.

    Args:
        sizes: hidden, layers, heads, kv_heads, head_dim, intermediate.
    """
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes["kv_heads"],
        head_dim=sizes["head_dim"],
        intermediate_size=sizes["intermediate"],
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen3ForCausalLM(config)


def wrap_tokenizer(tokenizer: Any) -> PreTrainedTokenizerFast:
    """A ``tokenizers.Tokenizer`` of our own (data/tokenizer.py) in Hugging Face's clothes."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=[GRAPH_TOKEN],
        clean_up_tokenization_spaces=False,
    )


def attach_adapter(
    llm: Llm, *, rank: int, alpha: int, dropout: float, targets: Sequence[str]
) -> Llm:
    """LoRA on the linear layers named ``targets`` (Hu et al., "LoRA", ICLR 2022, eq. 3).

    Raises:
        BadRecipeError: a target names no linear layer of the backbone.
    """
    from peft import LoraConfig, get_peft_model

    present = {name.rsplit(".", 1)[-1] for name, module in llm.named_modules()}
    absent = [target for target in targets if target not in present]
    if absent:
        raise BadRecipeError(
            f"backbone.adapter.targets: {', '.join(absent)} not among the modules of "
            f"{type(llm).__name__}; name its linear layers"
        )
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=list(targets),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(llm, config)


def load_adapter(llm: Llm, path: str | Path) -> Llm:
    """A saved LoRA adapter on top of its backbone."""
    from peft import PeftModel

    return PeftModel.from_pretrained(llm, str(path))


def merge_adapter(llm: Llm, path: str | Path) -> Llm:
    """Backbone with its adapter added in, exact: a 4-bit backbone is dequantised first.

    Adding in 4 bits would round the adapter away (perplexity 6 becomes 23); the sum of what was
    trained is the dequantised weight plus the adapter.
    """
    if getattr(llm, "hf_quantizer", None) is not None:
        llm = llm.dequantize()
    merged = load_adapter(llm, path).merge_and_unload()
    if hasattr(merged.config, "quantization_config"):
        del merged.config.quantization_config
    return merged


def graph_token_id(tokenizer: PreTrainedTokenizerFast) -> int:
    """Id of the graph token, whose embedding row the projector's output replaces."""
    token_id = tokenizer.convert_tokens_to_ids(GRAPH_TOKEN)
    assert isinstance(token_id, int)
    return token_id


def end_token_ids(llm: Llm, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Tokens that end a caption; the first is the one that captions are trained to end with."""
    configured = llm.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    ids = [tokenizer.eos_token_id, *(token for token in listed if token is not None)]
    return list(dict.fromkeys(ids))


def embedding_norm(llm: Llm) -> float:
    """Mean norm of the rows of the token embedding."""
    weight = llm.get_input_embeddings().weight
    return float(weight.float().norm(dim=1).mean())


def best_device() -> str:
    """``cuda`` where there is one, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _nf4(dtype: torch.dtype) -> BitsAndBytesConfig:
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "backbone.quantization: nf4 needs bitsandbytes; pip install 'molcaption[train]', "
            "or --set backbone.quantization=none"
        ) from error
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _from_pretrained(kind: Any, path: str, **options: Any) -> Any:
    """Local directory first; the hub only for a name that is no path, and not when offline."""
    try:
        return kind.from_pretrained(path, **options)
    except (OSError, ValueError) as error:
        offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MissingError(
            f"backbone {path}: cannot be loaded{offline}: {first_line}; give a local directory "
            "with --set backbone.path=DIR"
        ) from error

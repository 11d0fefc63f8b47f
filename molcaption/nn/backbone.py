"""The language model: loaded from a hub name or directory, or built small and untrained.

The only module that knows bitsandbytes and peft. Any ``AutoModelForCausalLM`` is a backbone: a hub
name, a directory, or a GGUF file. The graph token is added to the tokenizer without touching the
embedding where the model has spare rows (Qwen3 pads its vocabulary to 151,936 for 151,669 tokens);
its row is always overwritten by the projector, so it needs no training.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.pytorch_utils import Conv1D
from transformers.utils.logging import disable_progress_bar

from molcaption.data.prompt import END, GRAPH_TOKEN, PAD
from molcaption.errors import BadRecipeError, MissingError
from molcaption.nn.gguf import forget_quantization, is_gguf, mend_tokenizer
from molcaption.nn.pretrained import from_pretrained

_log = logging.getLogger(__name__)
Llm = Any
"""A transformers causal language model, or a peft model around one: they share no public type."""
disable_progress_bar()  # bars of single files between our own lines say nothing


def load_tokenizer(path: str) -> PreTrainedTokenizerFast:
    """Tokenizer of a backbone, with the graph token added.

    Raises:
        MissingError: no such directory, and no such hub model in reach.
    """
    tokenizer = from_pretrained(AutoTokenizer, path)
    if is_gguf(path):
        mend_tokenizer(tokenizer, path)
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

    Raises:
        MissingError: no weights in reach, or no bitsandbytes to quantise them with.
        BadRecipeError: a GGUF file is to be quantised once more.
    """
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    options: dict[str, Any] = {"dtype": dtype}
    if quantization == "nf4":
        if is_gguf(path):
            raise BadRecipeError(
                f"backbone.quantization: nf4, but {path} is dequantised as it is read; use none, "
                "or a Hugging Face directory"
            )
        options["quantization_config"] = _nf4(dtype)
        options["device_map"] = {"": device}
    llm = from_pretrained(AutoModelForCausalLM, path, **options)
    if is_gguf(path):
        forget_quantization(llm)
    _multiply_exactly(llm)
    if len(tokenizer) > llm.get_input_embeddings().num_embeddings:
        _widen(llm, len(tokenizer))
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

    linear = (
        name.rsplit(".", 1)[-1]
        for name, module in llm.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
    )
    present = dict.fromkeys(linear)
    absent = [target for target in targets if target not in present]
    if absent:
        raise BadRecipeError(
            f"backbone.adapter.targets: {', '.join(absent)} not among the linear layers of "
            f"{type(llm).__name__}, which are {', '.join(present)}"
        )
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=list(targets),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(llm, config)


def recompute_activations(llm: Llm) -> None:
    """Keep only the blocks' inputs for the backward pass (Chen et al., arXiv:1604.06174)."""
    newer = getattr(llm, "activation_checkpointing_enable", None)  # its name in transformers 6
    (newer or llm.gradient_checkpointing_enable)({"use_reentrant": False})


def save_adapter(llm: Llm, path: str | Path) -> None:
    """Write the LoRA weights alone: `load_llm` makes the same rows for new tokens every time."""
    llm.save_pretrained(str(path), save_embedding_layers=False)


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


def _widen(llm: Llm, rows: int) -> None:
    """Rows for ``rows`` tokens; a new row is the mean of the others, so that it decides nothing.

    Random rows would give new tokens other logits at each loading.
    """
    old = llm.get_input_embeddings().num_embeddings
    llm.resize_token_embeddings(rows, pad_to_multiple_of=8, mean_resizing=False)
    with torch.no_grad():
        for layer in (llm.get_input_embeddings(), llm.get_output_embeddings()):
            layer.weight[old:] = layer.weight[:old].mean(0)


def _multiply_exactly(llm: Llm) -> None:
    """Keep bitsandbytes from rounding weights in place on CPUs that have AVX-512-BF16.

    There the first forward without gradient repacks them with bfloat16 scales, for good: the first
    evaluation would change what is trained, and what is merged would differ from it.
    """
    for module in llm.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def nf4_error(device: str) -> float:
    """Relative error of a product in NF4 against one with the same weights dequantised."""
    from bitsandbytes import functional, matmul_4bit

    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    weight, states = (torch.randn(64, 64, dtype=dtype, device=device) for _ in range(2))
    packed, state = functional.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
    expected = states @ functional.dequantize_4bit(packed, state).T
    return float((matmul_4bit(states, packed, state) - expected).norm() / expected.norm())


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

"""The verb ``merge``: adapter into backbone, all parts into one self-contained directory.

The LLM lies at the top as plain Hugging Face files (``AutoModelForCausalLM`` loads it), in fp16;
``bridge.safetensors`` and ``captioner.json`` beside it make it a captioner.
"""

import logging
from dataclasses import replace
from pathlib import Path

import torch

from molcaption.data.folders import atomic_directory, check_directory
from molcaption.data.hints import Hinter
from molcaption.engine.model_dir import (
    ADAPTER,
    BackboneSource,
    load_bridge,
    read_config,
    save_bridge,
    write_config,
)
from molcaption.engine.train_hints import HINTS
from molcaption.nn.backbone import load_llm, load_tokenizer, merge_adapter

_log = logging.getLogger(__name__)


def merge(run_dir: str | Path, output: str | Path, force: bool = False) -> Path:
    """Merge ``RUN/finetune`` into ``output``; returns it.

    Args:
        force: replace what is at ``output``.

    Raises:
        MissingError: ``finetune`` has not been run, or its backbone is gone.
        CannotWriteError: ``output`` exists and ``force`` is false.
    """
    check_directory(output, force=force)
    tuned = Path(run_dir) / "finetune"
    config = read_config(tuned, "molcaption finetune RECIPE")
    assert config.backbone is not None  # `align` writes it
    tokenizer = load_tokenizer(config.backbone.path)
    llm = load_llm(config.backbone.path, tokenizer, quantization=config.backbone.quantization)
    llm = merge_adapter(llm, tuned / ADAPTER).to(torch.float16)
    encoder, projector = load_bridge(tuned, config)
    assert projector is not None
    with atomic_directory(output, force=force) as directory:
        llm.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
        save_bridge(directory, encoder=encoder.half(), projector=projector.half())
        if config.prompt is not None and config.prompt.hints:
            Hinter.load(Path(run_dir) / HINTS).save(directory)
        write_config(directory, replace(config, stage="merged", backbone=BackboneSource(".")))
    _log.info("%s: merged", output)
    return Path(output)

"""The verb ``merge``: adapter into backbone, all parts into one self-contained directory.

The LLM lies at the top as plain Hugging Face files (``AutoModelForCausalLM`` loads it), in fp16;
``bridge.safetensors`` and ``captioner.json`` beside it make it a captioner.
"""

import logging
from dataclasses import replace
from pathlib import Path

import torch

from molcaption.data.features import FeatureVocabulary
from molcaption.data.folders import atomic_directory, check_directory
from molcaption.engine.bases import check_same_base, identified
from molcaption.engine.model_card import write_card
from molcaption.engine.model_dir import (
    ADAPTER,
    TUNED,
    BackboneSource,
    load_bridge,
    read_config,
    save_bridge,
    write_config,
)
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
    if (tuned / TUNED).is_dir():
        llm = load_llm(str(tuned / TUNED), tokenizer)
    else:
        source = config.backbone
        check_same_base(source, identified(source.path, source.quantization), tuned)
        llm = load_llm(source.path, tokenizer, quantization=source.quantization)
        llm = merge_adapter(llm, tuned / ADAPTER)
    llm = llm.to(torch.float16)
    bridge = load_bridge(tuned, config)
    with atomic_directory(output, force=force) as directory:
        llm.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
        save_bridge(directory, bridge.half())
        if config.profile is not None:
            FeatureVocabulary.load(tuned).save(directory)
        write_card(directory, replace(config, stage="merged"), tuned, former=Path(output))
        write_config(directory, replace(config, stage="merged", backbone=BackboneSource(".")))
    _log.info("%s: merged", output)
    return Path(output)

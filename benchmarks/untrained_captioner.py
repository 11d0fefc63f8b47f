"""A merged model around any backbone, its bridge untrained, to measure size and speed with.

    python benchmarks/untrained_captioner.py OUT
    python benchmarks/untrained_captioner.py OUT --backbone DIR --tokenizer tokenizer.json

By default the backbone has the configuration of Qwen/Qwen3-0.6B, all of it, and random weights;
DIR is any Hugging Face model of the Qwen3 or Llama architecture. The encoder and the projector are
those of `recipes/qwen3.yaml`.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM

from molcaption.data.prompt import GRAPH_TOKEN, PromptTemplate, plain_prompt
from molcaption.data.tokenizer import train_tokenizer
from molcaption.engine.model_dir import CaptionerConfig, save_bridge, write_config
from molcaption.nn.backbone import embedding_norm, wrap_tokenizer
from molcaption.nn.bridge import Bridge
from molcaption.nn.encoder import EncoderConfig, MolGNN
from molcaption.nn.projector import Projector, ProjectorConfig
from molcaption.recipe import load_recipe

QWEN3 = {
    "vocab_size": 151936,
    "hidden_size": 1024,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 3072,
    "max_position_embeddings": 40960,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
    "tie_word_embeddings": True,
}
"""`config.json` of Qwen/Qwen3-0.6B, as far as it decides shapes and arithmetic."""


def main() -> None:
    args = parse_args()
    torch.manual_seed(0)
    changes = dict(change.split("=") for change in args.set)
    llm = backbone(args.backbone, {name: int(value) for name, value in changes.items()})
    build(args.output, llm.half(), tokenizer(args.tokenizer))


def backbone(path: Path | None, changes: dict[str, int]) -> Any:
    """The model in ``path``, or one of Qwen3-0.6B's configuration with ``changes``."""
    if path is not None:
        return AutoModelForCausalLM.from_pretrained(path)
    return Qwen3ForCausalLM(Qwen3Config(**QWEN3 | changes, bos_token_id=None, eos_token_id=1))


def tokenizer(path: Path | None) -> Any:
    """The tokenizer in the file ``path``, with a graph token, or a small one of our own."""
    if path is None:
        texts = [plain_prompt(1), "The molecule is a monocarboxylic acid.", "CC(=O)Oc1ccccc1C(=O)O"]
        return wrap_tokenizer(train_tokenizer(texts, 400))
    return wrap_tokenizer(Tokenizer.from_file(str(path)))


def build(directory: Path, llm: Any, tokenizer: Any) -> None:
    """Write backbone, bridge and configuration as `molcaption merge` would."""
    recipe = load_recipe("qwen3")
    llm.requires_grad_(False)
    if len(tokenizer) > llm.config.vocab_size:
        llm.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    encoder = EncoderConfig(**recipe.encoder.model_dump())
    projector = ProjectorConfig(
        in_width=encoder.width,
        out_width=llm.config.hidden_size,
        out_norm=embedding_norm(llm),
        **recipe.projector.model_dump(),
    )
    directory.mkdir(parents=True)
    llm.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    save_bridge(directory, Bridge(MolGNN(encoder), Projector(projector)).half())
    prompt = PromptTemplate(plain_prompt(encoder.graph_tokens), encoder.graph_tokens)
    write_config(
        directory,
        CaptionerConfig(
            stage="merged",
            encoder=encoder,
            projector=projector,
            prompt=prompt,
            graph_token_id=tokenizer.convert_tokens_to_ids(GRAPH_TOKEN),
            end_token_ids=[tokenizer.eos_token_id],
            max_prompt_tokens=recipe.prompt.max_tokens,
            max_new_tokens=recipe.decode.max_new_tokens,
            provenance={"recipe_name": "untrained"},
        ),
    )


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="new folder")
    parser.add_argument("--backbone", type=Path, metavar="DIR", help="Hugging Face model")
    parser.add_argument("--tokenizer", type=Path, metavar="FILE", help="its tokenizer.json")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=NUMBER", help="change Qwen3's configuration"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

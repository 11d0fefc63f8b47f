"""Both stages, merge and captions on a base held in NF4, and what is refused on the way.

The base is a tiny random decoder in a directory of its own, as Qwen3-0.6B would be.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch

from molcaption.align import align
from molcaption.data.prompt import plain_prompt
from molcaption.data.tokenizer import train_tokenizer
from molcaption.engine.merged import load_merged
from molcaption.engine.model_dir import read_config
from molcaption.errors import BadDataError, MissingError
from molcaption.finetune import finetune
from molcaption.merge import merge
from molcaption.nn.backbone import (
    build_scratch,
    load_adapter,
    load_llm,
    load_tokenizer,
    wrap_tokenizer,
)
from molcaption.pretrain import pretrain
from molcaption.recipe import Recipe, load_recipe

PAIRS = [
    ("CCO", "The molecule is an alcohol."), ("CC(=O)O", "The molecule is a carboxylic acid."),
    ("c1ccccc1", "The molecule is a benzene."), ("NCC(=O)O", "The molecule is an amino acid."),
    ("CC(C)=O", "The molecule is a ketone."), ("CCN(CC)CC", "The molecule is a tertiary amine."),
    ("CCOCC", "The molecule is an ether."), ("C#N", "The molecule is a nitrile."),
]  # fmt: skip
RECIPE = """
name: qlora
data: {{root: {root}, train: train.tsv, dev: train.tsv}}
encoder: {{layers: 1, hidden: 16, width: 24}}
projector: {{hidden: 24}}
backbone: {{path: {root}/base, quantization: nf4, adapter: {{rank: 4, alpha: 8}}}}
prompt: {{format: plain, max_tokens: 100}}
pretrain:
  encoder: {{steps: 2, batch_size: 4, lr: 1e-3}}
align: {{steps: 4, batch_size: 4, lr: 1e-3, eval_every: 2}}
finetune: {{steps: 4, batch_tokens: 400, lr: 1e-3, projector_lr: 1e-3, eval_every: 2,
           save_every: 2}}
decode: {{max_new_tokens: 8}}
"""


def write_base(folder: Path, seed: int, hidden: int = 64) -> None:
    torch.manual_seed(seed)
    tokenizer = wrap_tokenizer(train_tokenizer([plain_prompt(1), *(t for _, t in PAIRS)], 320))
    sizes = {"layers": 2, "heads": 2, "kv_heads": 1, "head_dim": 32, "intermediate": 128}
    build_scratch(tokenizer, hidden=hidden, **sizes).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("qlora")
    rows = [f"{i}\t{smiles}\t{text}" for i, (smiles, text) in enumerate(PAIRS)]
    (folder / "train.tsv").write_text("\n".join(["id\tsmiles\tdescription", *rows]) + "\n")
    (folder / "qlora.yaml").write_text(RECIPE.format(root=folder))
    write_base(folder / "base", seed=0)
    return folder


@pytest.fixture(scope="module")
def run(root: Path) -> Recipe:
    recipe = load_recipe(root / "qlora.yaml", [f"run_dir={root / 'run'}"])
    pretrain(recipe)
    align(recipe)
    finetune(recipe, force=True)
    merge(recipe.run_dir, root / "merged")
    return recipe


def moved(root: Path, run: Recipe, to: Path, *changes: str) -> Recipe:
    """The run's first stages elsewhere, and its recipe with ``changes``."""
    for needed in ("encoder", "align"):
        shutil.copytree(run.run_dir / needed, to / needed)
    return load_recipe(root / "qlora.yaml", [f"run_dir={to}", *changes])


def test_merged_is_what_was_trained(run: Recipe, root: Path) -> None:
    tuned = run.run_dir / "finetune"
    base = read_config(tuned, "").backbone
    assert (base.path, base.quantization, len(base.sha256)) == (str(root / "base"), "nf4", 64)
    tokenizer = load_tokenizer(base.path)
    llm = load_llm(base.path, tokenizer, quantization=base.quantization)
    adapted = load_adapter(llm, tuned / "adapter").eval()
    merged = load_merged(root / "merged", device="cpu").captioner.llm
    ids = torch.tensor([tokenizer("CCO The molecule is")["input_ids"]])
    with torch.no_grad():
        expected, got = adapted(input_ids=ids).logits, merged(input_ids=ids).logits
    torch.testing.assert_close(got, expected, atol=1e-3, rtol=1e-3)  # stored in fp16


def test_goes_on_bit_equal_after_an_evaluation(run: Recipe, root: Path, tmp_path: Path) -> None:
    """An evaluation must leave the 4-bit weights alone: half of the second run never made it."""
    recipe = moved(root, run, tmp_path)
    from molcaption.engine import checkpoint

    class Killed(BaseException):
        pass

    def save_and_die(directory, key, position, model, **parts):
        saved(directory, key, position, model, **parts)
        if position.step == 2:
            raise Killed

    saved = checkpoint.save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save", save_and_die)
        with pytest.raises(Killed):
            finetune(recipe, force=True)
    finetune(recipe, force=True)
    for name in ("bridge.safetensors", "adapter/adapter_model.safetensors"):
        ours, theirs = (folder / "finetune" / name for folder in (tmp_path, run.run_dir))
        assert ours.read_bytes() == theirs.read_bytes()


def test_the_same_weights_elsewhere_are_the_same_base(
    run: Recipe, root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root / "base", tmp_path / "copy")
    recipe = moved(root, run, tmp_path, f"backbone.path={tmp_path / 'copy'}", "finetune.steps=1")
    finetune(recipe, force=True)
    assert read_config(tmp_path / "finetune", "").backbone.path == str(tmp_path / "copy")


@pytest.mark.parametrize("hidden", [64, 32])
def test_finetune_refuses_another_base(
    run: Recipe, root: Path, tmp_path: Path, hidden: int
) -> None:
    write_base(tmp_path / "other", seed=1, hidden=hidden)
    recipe = moved(root, run, tmp_path, f"backbone.path={tmp_path / 'other'}")
    with pytest.raises(BadDataError) as caught:
        finetune(recipe, force=True)
    assert str(root / "base") in str(caught.value)
    assert str(tmp_path / "other") in str(caught.value)
    assert "molcaption align" in str(caught.value)


def test_merge_refuses_a_base_that_was_replaced(run: Recipe, tmp_path: Path) -> None:
    shutil.copytree(run.run_dir / "finetune", tmp_path / "finetune")
    write_base(tmp_path / "base", seed=1)
    file = tmp_path / "finetune" / "captioner.json"
    stored = json.loads(file.read_text())
    stored["backbone"]["path"] = str(tmp_path / "base")
    file.write_text(json.dumps(stored))
    with pytest.raises(BadDataError, match="holds others"):
        merge(tmp_path, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_out_of_memory_in_training_says_what_to_change(
    run: Recipe, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("molcaption.engine.stage_finetune.FinetuneObjective.forward", full)
    with pytest.raises(MissingError, match="accumulate to 6"):
        finetune(moved(root, run, tmp_path, "finetune.accumulate=3"), force=True)

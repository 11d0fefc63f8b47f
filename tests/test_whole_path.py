"""Every stage on a tiny random Qwen3: pretrain, align, finetune, merge, export, caption, score.

The model is too small to say anything sensible; what is held here is that the stages fit together,
that training goes on bit-equal after a stop, and that parts and whole agree.
"""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from molcaption.align import align
from molcaption.caption import caption
from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.data.collate import view_tensors
from molcaption.data.pairs import read_pairs
from molcaption.data.sentences import describe
from molcaption.engine.checkpoint import STATE_FILE
from molcaption.engine.merged import load_merged
from molcaption.engine.model_dir import load_bridge, load_encoder, read_config
from molcaption.engine.questions import questions
from molcaption.errors import BadDataError, CannotWriteError, MissingError
from molcaption.export import export
from molcaption.finetune import finetune
from molcaption.merge import merge
from molcaption.nn.backbone import load_adapter, load_llm, load_tokenizer
from molcaption.pretrain import pretrain
from molcaption.recipe import Recipe, dump_recipe, load_recipe
from molcaption.score import score

SMILES = (
    "CCO CC(=O)O c1ccccc1 Oc1ccccc1 CC(=O)Oc1ccccc1C(=O)O CN1C=NC2=C1C(=O)N(C)C(=O)N2C NCC(=O)O "
    "C[C@H](N)C(=O)O CCCCCCCC(=O)O OCC(O)CO c1ccncc1 c1ccc2[nH]ccc2c1 CC(C)=O CCOCC [Na+].[Cl-] "
    "CCN(CC)CC FC(F)(F)c1ccccc1 ClC(Cl)Cl O=C1CCCCC1 CS(C)=O "
    "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O C=CC=C C#N O=[N+]([O-])c1ccccc1"
).split()

SHORT = [
    "data.train=train.tsv",
    "data.dev=dev.tsv",
    "data.styles=[chebi20]",
    "data.names=names.tsv",
    "data.structures=[structures.smi]",
    "pretrain.encoder={steps: 6, batch_size: 8, lr: 1e-3, sample: 12, eval_every: 3, "
    "save_every: 2}",
    "pretrain.backbone={steps: 6, batch_tokens: 1500, lr: 1e-3, eval_every: 3, save_every: 2, "
    "mixture: {captions: 1, sentences: 0.5, names: 0.5}}",
    "align={steps: 6, batch_size: 8, lr: 1e-3, contrastive_weight: 0.5, eval_every: 3, "
    "save_every: 2}",
    "finetune={steps: 6, batch_tokens: 1000, lr: 1e-3, projector_lr: 1e-3, augment: 0.5, "
    "accumulate: 2, eval_every: 6, save_every: 2}",
    "decode.max_new_tokens=24",
]
"""Makes recipes/tiny.yaml a matter of seconds, with every kind of data."""


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rng = random.Random(0)
    rows = [(str(i), s, describe(parse_smiles(s), rng)) for i, s in enumerate(SMILES)]
    _table(folder / "train.tsv", "style\tid\tsmiles\tdescription", [("chebi20", *r) for r in rows])
    _table(folder / "dev.tsv", "id\tsmiles\tdescription", rows[:6])
    _table(folder / "names.tsv", "cid\tSMILES\tdescription", [(i, s, f"n{i}") for i, s, _ in rows])
    (folder / "structures.smi").write_text("\n".join(SMILES) + "\n", encoding="utf-8")
    file = folder / "tiny.yaml"
    tiny = load_recipe("tiny", [f"data.root={folder}", *SHORT])
    file.write_text(dump_recipe(tiny), encoding="utf-8")
    return file


def _table(path: Path, header: str, rows: list[tuple[str, ...]]) -> None:
    lines = [header, *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def run(recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """All training stages, once."""
    folder = tmp_path_factory.mktemp("run")
    recipe = load_recipe(recipe_file, [f"run_dir={folder}"])
    pretrain(recipe)
    align(recipe)
    finetune(recipe, force=True)
    merge(recipe.run_dir, recipe.run_dir / "merged")
    yield recipe


def test_models_carry_a_card(run: Recipe, tmp_path: Path) -> None:
    for folder, command in (("finetune", "molcaption merge"), ("merged", "molcaption caption")):
        text = (run.run_dir / folder / "README.md").read_text("utf-8")
        assert command in text and "recipe tiny" in text and "loss " in text
        assert "base_model" not in text  # a scratch backbone has none, and no path gets out
        assert str(run.run_dir) not in text
    merge(run.run_dir, tmp_path / "merged")
    card = tmp_path / "merged" / "README.md"
    card.write_text("mine", "utf-8")
    merge(run.run_dir, tmp_path / "merged", force=True)
    assert card.read_text("utf-8") == "mine"


def test_export_caption_score(run: Recipe, tmp_path: Path) -> None:
    bundle, out, scores = tmp_path / "bundle", tmp_path / "out.parquet", tmp_path / "scores.json"
    export(run.run_dir / "merged", bundle, "fp32")
    caption([run.data.path(run.data.dev)], out, model=bundle)
    rows = pq.read_table(out).to_pylist()
    assert [row["id"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert all(row["error"] is None and isinstance(row["caption"], str) for row in rows)
    score(out, run.data.path(run.data.dev), output=scores)
    names = {entry["name"] for entry in json.loads(scores.read_text())["scores"]}
    assert {"bleu2", "bleu4", "meteor", "rougeL"} <= names


def test_a_memory_competes_with_the_captioner(
    run: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle, known = tmp_path / "bundle", run.data.path(run.data.train)
    export(run.run_dir / "merged", bundle, "fp32", parity_input=known)
    parity = json.loads((bundle / "manifest.json").read_text())["parity"]
    assert parity["equal_captions"] == 1.0
    caption([run.data.path(run.data.dev)], tmp_path / "with.parquet", model=bundle,
            memory=known, draws=2)  # fmt: skip
    made = pq.read_table(tmp_path / "with.parquet")["caption"].to_pylist()
    # The molecules themselves are in the memory, and the tiny captioner knows nothing.
    said = [pair.description for pair in read_pairs(run.data.path(run.data.dev))]
    assert made == said


def test_the_whole_backbone_may_be_tuned(run: Recipe, recipe_file: Path, tmp_path: Path) -> None:
    for needed in ("backbone", "encoder", "align"):
        shutil.copytree(run.run_dir / needed, tmp_path / needed)
    changes = ["backbone.adapter=null", "finetune.word_dropout=0.5"]
    finetune(load_recipe(recipe_file, [f"run_dir={tmp_path}", *changes]), force=True)
    assert not (tmp_path / "finetune" / "adapter").exists()
    merge(tmp_path, tmp_path / "merged")
    before, after = (
        load_llm(str(folder), load_tokenizer(str(folder))).state_dict()
        for folder in (tmp_path / "backbone", tmp_path / "merged")
    )
    assert before.keys() == after.keys()
    changed = [n for n, t in before.items() if not torch.allclose(t, after[n], atol=1e-3)]
    assert {"model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"} <= set(changed)


def test_every_stage_leaves_metrics_and_a_config(run: Recipe) -> None:
    for stage in ("encoder", "align", "finetune"):
        lines = (run.run_dir / stage / "metrics.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["step"] == 6
        config = read_config(run.run_dir / stage, "")
        assert config.stage == stage
        assert config.provenance["recipe_name"] == "tiny"
        assert load_recipe(run.run_dir / stage / "recipe.yaml") == run
    assert "samples" in json.loads(lines[-1])
    ranks = json.loads((run.run_dir / "align" / "alignment.json").read_text())["ranks"]
    assert (list(ranks), sum(ranks.values())) == (["1", "2-3", "4-6"], 6)  # six pairs of dev
    for picture in ("curves.svg", "alignment.svg"):
        assert "</svg>" in (run.run_dir / picture).read_text()


def test_second_run_does_nothing(run: Recipe) -> None:
    before = {p: p.stat().st_mtime_ns for p in run.run_dir.rglob("*") if p.is_file()}
    pretrain(run)
    align(run)
    finetune(run)
    assert {p: p.stat().st_mtime_ns for p in run.run_dir.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("stage", ["pretrain", "align", "finetune"])
def test_resumes_bit_equal(stage: str, run: Recipe, recipe_file: Path, tmp_path: Path) -> None:
    """Stopped after step 4 and gone on, against never stopped."""
    part = {"pretrain": "encoder"}.get(stage, stage)
    for needed in ("backbone", "encoder", "align"):
        if needed != part:
            shutil.copytree(run.run_dir / needed, tmp_path / needed)
    recipe = load_recipe(recipe_file, [f"run_dir={tmp_path}"])
    verb = {"pretrain": pretrain, "align": align, "finetune": lambda r: finetune(r, force=True)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("molcaption.engine.checkpoint.save", _save_then_die_at(4))
        with pytest.raises(_Killed):
            verb[stage](recipe)
    verb[stage](recipe)
    for name in ("bridge.safetensors",):
        assert (tmp_path / part / name).read_bytes() == (run.run_dir / part / name).read_bytes()
    if stage == "finetune":
        adapter = "adapter/adapter_model.safetensors"
        assert (tmp_path / part / adapter).read_bytes() == (
            run.run_dir / part / adapter
        ).read_bytes()


class _Killed(BaseException):
    """Stands for `kill -9`: nothing after it runs."""


def _save_then_die_at(step: int):
    from molcaption.engine.checkpoint import save

    def save_and_die(directory, key, position, model, **parts):
        save(directory, key, position, model, **parts)
        if position.step == step:
            raise _Killed

    return save_and_die


def test_checkpoint_of_other_settings_is_refused(run: Recipe, recipe_file: Path, tmp_path: Path):
    for needed in ("backbone", "encoder"):
        shutil.copytree(run.run_dir / needed, tmp_path / needed)
    (tmp_path / "align").mkdir()
    shutil.copy(run.run_dir / "align" / STATE_FILE, tmp_path / "align")
    other = load_recipe(recipe_file, [f"run_dir={tmp_path}", "align.lr=5e-4"])
    with pytest.raises(CannotWriteError, match="--fresh"):
        align(other)
    align(other, fresh=True)


def test_gate_refuses_an_unaligned_projector(run: Recipe, recipe_file: Path, tmp_path: Path):
    for needed in ("backbone",):
        shutil.copytree(run.run_dir / needed, tmp_path / needed)
    shutil.copytree(run.run_dir / "align", tmp_path / "align")
    report = json.loads((tmp_path / "align" / "alignment.json").read_text())
    report["aligned"] = False
    (tmp_path / "align" / "alignment.json").write_text(json.dumps(report))
    with pytest.raises(BadDataError, match="--force"):
        finetune(load_recipe(recipe_file, [f"run_dir={tmp_path}"]))


def test_stages_name_the_one_that_must_come_first(recipe_file: Path, tmp_path: Path):
    recipe = load_recipe(recipe_file, [f"run_dir={tmp_path}"])
    with pytest.raises(MissingError, match="backbone"):
        align(recipe)
    with pytest.raises(MissingError, match="molcaption align"):
        finetune(recipe)
    with pytest.raises(MissingError, match="molcaption finetune"):
        merge(tmp_path, tmp_path / "merged")


def test_merged_equals_adapter(run: Recipe) -> None:
    tuned = run.run_dir / "finetune"
    config = read_config(tuned, "")
    tokenizer = load_tokenizer(config.backbone.path)
    adapted = load_adapter(load_llm(config.backbone.path, tokenizer), tuned / "adapter").eval()
    merged = load_merged(run.run_dir / "merged", device="cpu").captioner.llm
    ids = torch.tensor([tokenizer("CCO The molecule is")["input_ids"]])
    with torch.no_grad():
        expected, got = adapted(input_ids=ids).logits, merged(input_ids=ids).logits
    # Merged weights are stored in fp16, whose relative precision is 5e-4.
    torch.testing.assert_close(got, expected, atol=5e-3, rtol=5e-3)


def test_captioner_without_graph_tokens_is_the_plain_backbone(run: Recipe) -> None:
    model = load_merged(run.run_dir / "merged", device="cpu")
    ids = torch.tensor([model.tokenizer.encode("The molecule is an acid.").ids])
    embedded = model.captioner.llm.get_input_embeddings()(ids)
    none = view_tensors([view for view, _ in questions(["C"], model.vocabulary, load_lexicon())])
    ids_with = torch.cat([torch.full((1, 4), model.captioner.graph_token_id), ids], dim=1)
    with_graph = model.captioner.embed(ids_with, none)
    torch.testing.assert_close(with_graph[:, 4:], embedded, atol=0, rtol=0)
    with pytest.raises(ValueError, match="graph tokens"):
        model.captioner.embed(ids, none)


def test_bridge_loads_what_was_trained(run: Recipe) -> None:
    config = read_config(run.run_dir / "align", "")
    encoder = load_bridge(run.run_dir / "align", config).encoder
    before = load_encoder(run.run_dir / "encoder", read_config(run.run_dir / "encoder", ""))
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name])

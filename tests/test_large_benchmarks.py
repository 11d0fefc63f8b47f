"""Benchmarks that need a large model run at toy size: they are scripts, but not untested ones."""

import importlib.util
import json
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest

from molcaption.engine.bundle import load_manifest

ROOT = Path(__file__).parents[1]
TOY = {
    "vocab_size": 600,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "intermediate_size": 96,
}


def script(name: str) -> ModuleType:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cost_of_an_untrained_captioner(tmp_path: Path) -> None:
    maker, cost = script("untrained_captioner"), script("bundle_cost")
    assert maker.QWEN3.keys() > TOY.keys()
    maker.build(tmp_path / "merged", maker.backbone(None, TOY).half(), maker.tokenizer(None))
    bundle = tmp_path / "int4"
    made = cost.export_bundle(
        Namespace(export=tmp_path / "merged", bundles=[bundle], weights=["int4"])
    )
    assert 0 < made["logits_max_difference"] < 1
    shape = load_manifest(bundle).decoder
    assert (shape.layers, shape.kv_heads, shape.head_dim) == (3, 2, 32)
    drugs = str(ROOT / "examples" / "drugs.sdf")
    asked = {"input": drugs, "n": 2, "batch_size": 2, "max_new_tokens": 4, "threads": 1}
    loaded = cost.load_bundle(Namespace(bundles=[bundle], **asked))
    assert loaded["captions_per_second"] > 0
    assert loaded["peak_megabytes"] >= loaded["loaded_peak_megabytes"] > 10


TOY_CHANGES = [f"{name}={value}" for name, value in TOY.items()]


@pytest.mark.parametrize("weights", ["nf4", "plain"])
def test_training_at_full_size_falls_on_a_repeated_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: str
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    bench = script("gpu_train")
    asked = ["--weights", weights, "--batch-size", "2", "--length", "32", "--steps", "3"]
    args = bench.parse_args([*asked, "--folder", str(tmp_path), "--set", *TOY_CHANGES])
    assert bench.make_base(args)["parameters"] > 0
    found = bench.train(args)
    assert found["align"][1] < found["align"][0]
    assert len(found["finetune"]) == 3
    assert found["finetune"][2] < found["finetune"][0]
    assert found["tokens_per_second"] > 0
    assert found["peak_bytes"] > 1e7
    assert bench.row(found).count("|") == 9


def test_operations_are_those_of_the_configuration() -> None:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    bench, maker = script("gpu_train"), script("untrained_captioner")
    llm = Qwen3ForCausalLM(Qwen3Config(**maker.QWEN3 | TOY))
    matrices = sum(p.numel() for n, p in llm.named_parameters() if "_proj" in n)
    head = TOY["vocab_size"] * TOY["hidden_size"]
    assert bench.operations(llm, 182) == 4 * (matrices + head / 2)


def test_both_ways_of_captioning_write_the_same(tiny_model: Path) -> None:
    bench = script("gpu_caption")
    drugs = str(ROOT / "examples" / "drugs.sdf")
    asked = [str(tiny_model), "--input", drugs, "-n", "5", "--max-new-tokens", "8"]
    found = bench.measure(bench.parse_args([*asked, "--batch-sizes", "1", "3"]))
    assert [(one["batch"], one["way"]) for one in found] == [
        (1, "generate"), (1, "runtime"), (3, "generate"), (3, "runtime")
    ]  # fmt: skip
    for one in found:
        assert one["captions"] == found[0]["captions"]
        assert one["tokens_per_second"] > one["captions_per_second"] > 0
        assert 0 < one["share_of_limit"] < 1
        assert bench.row(one).count("|") == 7


def test_the_floor_counts_weights_and_cache(tiny_model: Path) -> None:
    from molcaption.engine.runtimes.torch import TorchRuntime

    bench, runtime = script("gpu_caption"), TorchRuntime.load(tiny_model)
    weights = 4 * sum(p.numel() for p in runtime.model.captioner.llm.parameters())
    position = 4 * 2 * 2 * 32  # bytes x (key, value) x layers x width of one head
    expected = 10 * weights + 2 * 10 * (30 + 5) * position  # two rows in one batch, ten steps
    assert bench.floor(runtime, [30, 30], [10, 10], 2) * bench.BANDWIDTH == expected


def test_training_killed_and_resumed_is_equal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--steps", "3", "--length", "32", "--longest-wait", "0", "--set", *TOY_CHANGES]
    bench = script("full_size_resume")
    monkeypatch.setattr("sys.argv", ["full_size_resume.py", *asked])
    bench.main()
    found = json.loads(capsys.readouterr().out)
    assert found["equal"]
    assert found["undisturbed"]["steps"] == 3
    assert found["resumed"]["steps"] < 3
    assert (
        found["resumed"]["losses"] == found["undisturbed"]["losses"][-found["resumed"]["steps"] :]
    )


def test_speed_of_the_command_and_of_a_plain_loop(
    tiny_model: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    bench = script("caption_speed")
    asked = ["--model", str(tiny_model), "--bundle", str(tiny_bundle), "-n", "3", "--workers", "0"]
    asked += ["--input", str(ROOT / "examples" / "drugs.sdf"), "--max-new-tokens", "8"]
    monkeypatch.setattr("sys.argv", ["caption_speed.py", *asked])
    args = bench.parse_args()
    for part in ("ours", "theirs"):
        found = bench.PARTS[part](args)
        assert found["records_per_second"] > 0
        assert found["batch_size"] == 1

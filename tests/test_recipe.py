"""Recipes are read strictly, and every mistake is shown at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from molcaption.errors import BadRecipeError, NoInputError
from molcaption.recipe import Recipe, dump_recipe, load_recipe, recipe_hash

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml"))
SMALL = """\
name: small
data: {train: train.tsv, dev: dev.tsv}
backbone: {path: some/model}
pretrain:
  encoder: {steps: 10, batch_size: 4, lr: 1e-3}
align: {steps: 10, batch_size: 4, lr: 1e-3}
finetune: {steps: 10, batch_size: 4, lr: 1e-4, projector_lr: 1e-4}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def mistakes(file: Path, *overrides: str) -> list[str]:
    with pytest.raises(BadRecipeError) as caught:
        load_recipe(file, overrides)
    first, *rest = str(caught.value).splitlines()
    assert str(file) in first
    return [line.strip() for line in rest]


@pytest.mark.parametrize("file", RECIPES, ids=lambda f: f.stem)
def test_recipes_that_ship(file: Path) -> None:
    recipe = load_recipe(file)
    assert recipe.name == file.stem
    assert f"recipes/{file.name}" in file.read_text().split("\n\n")[0], "open with its command"
    assert load_recipe(file.stem) == recipe  # by bare name


def test_qwen3_is_the_missions_configuration() -> None:
    recipe = load_recipe("qwen3")
    assert (recipe.encoder.width, recipe.encoder.graph_tokens) == (768, 1)
    assert (recipe.projector.hidden, recipe.projector.layers) == (1024, 3)
    assert (recipe.backbone.path, recipe.backbone.quantization) == ("Qwen/Qwen3-0.6B", "nf4")
    assert set(recipe.backbone.adapter.targets) == {
        f"{name}_proj" for name in ("q", "k", "v", "o", "gate", "up", "down")
    }
    assert recipe.prompt.format == "chat"
    assert recipe.align.loss in ("mse", "cosine")


def test_defaults(small: Path) -> None:
    recipe = load_recipe(small)
    assert recipe.run_dir == Path("runs/small")
    assert recipe.data.files() == [Path("data/train.tsv"), Path("data/dev.tsv")]
    assert recipe.data.path(Path("/x/y.tsv")) == Path("/x/y.tsv")


def test_scalars_follow_yaml_1_2(small: Path) -> None:
    small.write_text(SMALL.replace("some/model", "no").replace("lr: 1e-4,", "lr: 2E-4,"))
    recipe = load_recipe(
        small, ["data.styles=[yes, on, off, 2026-01-01, 1_000, 12:30]", "seed=010"]
    )
    assert recipe.backbone.path == "no"
    assert recipe.finetune.lr == 2e-4
    assert recipe.data.styles == ["yes", "on", "off", "2026-01-01", "1_000", "12:30"]
    assert recipe.seed == 10


def test_every_mistake_at_once(small: Path) -> None:
    text = SMALL.replace("name: small", "name: small\nname: again\nencodr: {}")
    small.write_text(text.replace("steps: 10, batch_size: 4, lr: 1e-4", "steps: ten, lrr: 1e-4"))
    found = mistakes(small)
    assert found[0] == "line 2: name: given twice, first in line 1"
    assert "line 3: encodr: unknown key; did you mean encoder?" in found
    assert "line 9: finetune.steps: expected an integer, got str 'ten'" in found
    assert "line 9: finetune.lrr: unknown key; did you mean finetune.lr?" in found
    assert "line 9: finetune.lr: required, but not given" in found
    assert len(found) == 5


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("align.batch_tokens=9", "line 6: align: give either batch_size or batch_tokens, got both"),
        ("align.batch_size=null", "align: give either batch_size or batch_tokens, got neither"),
        ("backbone.path=null", "give either path or scratch, got neither"),
        ("seed=1.0", "--set seed=1.0: seed: expected an integer, got float 1.0"),
        ("seed=true", "seed: expected an integer, got bool True"),
        ("align.lr='3'", "align.lr: expected a number, got str '3'"),
        ("align.lr=.nan", "align.lr: expected a number, got str '.nan'"),
        ("align.lr=0", "align.lr: expected greater than 0, got int 0"),
        ("align.loss=mae", "align.loss: expected 'mse' or 'cosine', got str 'mae'"),
        ("name=a/b", "name: String should match pattern"),
        ("temperature=1", "temperature: unknown key; did you mean align.temperature?"),
        (
            "decode.xyz=1",
            "decode.xyz: unknown key; known here: max_new_tokens, draws, no_repeat_ngram",
        ),
        ("encoder=3", "encoder: expected keys of its own, got int 3"),
        ("name.first=x", "--set name.first=x: name holds no further keys"),
        ("seed", "--set seed: expected path=value, such as finetune.lr=1e-4"),
        ("data..root=x", "--set data..root=x: expected path=value, such as finetune.lr=1e-4"),
        ("data.styles=[a", "--set data.styles=[a: line 1: not YAML"),
    ],
)
def test_one_mistake(small: Path, override: str, expected: str) -> None:
    found = mistakes(small, override)
    assert len(found) == 1
    assert expected in found[0]


def test_scratch_needs_pretraining_and_even_heads(small: Path) -> None:
    scratch = "{vocab_size: 9, hidden: 8, layers: 1, heads: %d, kv_heads: 2, head_dim: 4, "
    scratch += "intermediate: 8}"
    small.write_text(SMALL.replace("path: some/model", f"scratch: {scratch % 4}"))
    assert "needs pretrain.backbone" in mistakes(small)[0]
    load_recipe(small, ["pretrain.backbone={steps: 1, batch_tokens: 9, lr: 1, mixture: {a: 1}}"])
    small.write_text(SMALL.replace("path: some/model", f"scratch: {scratch % 3}"))
    assert "heads (3) must be a multiple of kv_heads (2)" in mistakes(small)[0]


def test_overrides(small: Path) -> None:
    overrides = ["finetune.lr=3e-4", "run_dir=/tmp/a=b", "finetune.lr=1e-5", "encoder.layers=2"]
    recipe = load_recipe(small, overrides)
    assert recipe.finetune.lr == 1e-5  # the last one counts
    assert recipe.run_dir == Path("/tmp/a=b")
    assert recipe.encoder.layers == 2  # a section that the file does not have


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"- a\n- b\n", "expected `key: value` lines"),
        (b"name: [", "line 1: not YAML"),
        (b"a: 1\n b: 2\n", "line 2: not YAML"),
        (b"name: \xff\xfe", "not UTF-8"),
        (b"? [a, b]\n: 1\n", "not YAML"),
        (b"&x [*x]: 1", "not YAML"),
        (b"x: " + b"[" * 2000, "not YAML"),
        (b"!!python/object:os.system {}", "not YAML"),
        (b"a\0b: 1", "not YAML"),
    ],
)
def test_not_a_recipe(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    with pytest.raises(BadRecipeError, match=expected) as caught:
        load_recipe(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_empty_file_says_what_is_required(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text("")
    assert "name: required, but not given" in mistakes(file)


def test_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, "no-such-recipe"):
        with pytest.raises(NoInputError, match=r"does not exist|is a directory"):
            load_recipe(path)


def test_hash_follows_content_and_not_place(small: Path) -> None:
    recipe = load_recipe(small)
    digest = recipe_hash(recipe)
    assert len(digest) == 64
    assert recipe_hash(load_recipe(small, ["run_dir=elsewhere"])) == digest
    assert recipe_hash(load_recipe(small, ["seed=0"])) == digest  # a default written out
    assert recipe_hash(load_recipe(small, ["seed=1"])) != digest
    head, tail = SMALL.split("\npretrain:")
    small.write_text("\n".join(reversed(head.splitlines())) + "\npretrain:" + tail)
    assert recipe_hash(load_recipe(small)) == digest  # the order of keys


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
tricky = st.sampled_from(
    ["no", "1e-4", "0x1F", "~", "", "null", "<<", "=", "1_0", ".5", "2026-1-1"]
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(
    styles=st.lists(words | tricky, max_size=4),
    rate=st.floats(min_value=1e-30, max_value=1e30, allow_nan=False),
    share=st.dictionaries(words | tricky, st.floats(1e-9, 1e9), min_size=1, max_size=3),
)
def test_dump_loads_back(
    tmp_path: Path, styles: list[str], rate: float, share: dict[str, Any]
) -> None:
    tree = yaml.safe_load(SMALL)
    for stage in (tree["pretrain"]["encoder"], tree["align"], tree["finetune"]):
        stage["lr"] = rate
    tree["finetune"]["projector_lr"] = rate
    tree["data"]["styles"] = styles
    tree["pretrain"]["backbone"] = {"steps": 1, "batch_size": 1, "lr": rate, "mixture": share}
    recipe = Recipe.model_validate(tree)
    file = tmp_path / "dumped.yaml"
    file.write_text(dump_recipe(recipe), encoding="utf-8")
    again = load_recipe(file)
    assert again == recipe
    assert recipe_hash(again) == recipe_hash(recipe)

"""Model cards: the facts of a run in the hub's form, and never over what a person wrote."""

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from molcaption.engine.hashes import directory_sha256
from molcaption.engine.model_card import is_edited, write_card
from molcaption.engine.model_dir import BackboneSource, CaptionerConfig, read_config


@pytest.fixture
def config(tiny_model: Path) -> CaptionerConfig:
    return read_config(tiny_model, "merge")


def test_the_hub_reads_the_header(config: CaptionerConfig, tmp_path: Path) -> None:
    qwen = replace(config, backbone=BackboneSource("Qwen/Qwen3-0.6B", "nf4"))
    write_card(tmp_path, qwen, tmp_path)
    data = ModelCard.load(tmp_path / "README.md").data
    assert (data.base_model, data.license, data.language) == ("Qwen/Qwen3-0.6B", "unknown", "en")
    assert data.pipeline_tag == "text-generation" and "chemistry" in data.tags
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "weights while training: nf4" in text and "recipe tiny" in text
    assert "BLEU-4" not in text  # nothing was measured, so nothing is said


def test_a_folder_is_no_base_model(config: CaptionerConfig, tmp_path: Path) -> None:
    local = replace(config, backbone=BackboneSource(str(tmp_path / "backbone")))
    write_card(tmp_path, replace(local, stage="finetune"), tmp_path)
    data = ModelCard.load(tmp_path / "README.md").data
    assert data.base_model is None
    assert str(tmp_path) not in (tmp_path / "README.md").read_text("utf-8")


def test_what_was_measured(config: CaptionerConfig, tmp_path: Path) -> None:
    lines = [
        '{"step": 1, "dev/loss": 3.0, "dev/bleu4": 0.1}',
        '{"step": 2, "loss": 2.0}',
        '{"step": 2, "dev/loss": 2.5, "dev/bleu4": 0.25}',
        '{"step": 3, "loss": 1.0}',
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    write_card(tmp_path, config, tmp_path)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "loss 2.500" in text and "0.250" in text


def test_an_edited_card_stays(config: CaptionerConfig, tmp_path: Path) -> None:
    card, moved = tmp_path / "README.md", tmp_path / "new"
    moved.mkdir()
    write_card(tmp_path, config, tmp_path)
    written = card.read_text("utf-8")
    assert not is_edited(written.encode())
    write_card(tmp_path, replace(config, max_new_tokens=7), tmp_path)
    assert "and 7 new tokens" in card.read_text("utf-8")  # nobody's work was lost
    for edited in (written.replace("unknown", "mit"), written + "More.\n", "", "# Mine"):
        assert is_edited(edited.encode())
        card.write_text(edited, "utf-8")
        write_card(tmp_path, config, tmp_path)
        assert card.read_text("utf-8") == edited
        write_card(moved, config, tmp_path, former=tmp_path)
        assert (moved / "README.md").read_text("utf-8") == edited


def test_a_card_changes_no_hash(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    before = directory_sha256(tmp_path)
    (tmp_path / "README.md").write_text("# Mine")
    assert directory_sha256(tmp_path) == before

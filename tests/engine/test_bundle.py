"""A bundle is whole or refused."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from molcaption.engine.bundle import (
    MANIFEST,
    REQUIRED,
    load_manifest,
    record_parity,
    write_manifest,
)
from molcaption.errors import BadDataError, MissingError, MolcaptionError


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def test_manifest_says_what_the_files_do_not(tiny_bundle: Path) -> None:
    manifest = load_manifest(tiny_bundle)
    assert manifest.name == "tiny"
    assert manifest.decoder.layers == 2
    assert manifest.decoder.positions == 224
    assert set(REQUIRED) <= set(manifest.files)
    assert manifest.source["recipe_hash"] == "0"
    assert len(manifest.source["model_sha256"]) == 64
    assert {"torch", "onnxruntime", "onnxruntime-genai"} <= set(manifest.tools)
    assert manifest.parity["graph_tokens_max_difference"] < 1e-5
    assert manifest.parity["logits_max_difference"] < 1e-4
    assert manifest.parity["equal_captions"] == 1.0
    for side in ("model", "bundle"):
        assert manifest.parity[side]["bytes"] > 1e5
        assert manifest.parity[side]["captions_per_second"] > 0


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(MissingError, match=name):
        load_manifest(copy)


@pytest.mark.parametrize("name", REQUIRED)
def test_truncated_file(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadDataError, match=f"{name}: damaged: bytes"):
        load_manifest(copy)


def test_altered_byte(copy: Path) -> None:
    path = copy / "decoder.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=r"decoder\.npz: damaged: sha256"):
        load_manifest(copy)


def edit(directory: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = directory / MANIFEST
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_newer_schema_even_with_unknown_keys(copy: Path) -> None:
    edit(copy, lambda manifest: manifest.update(schema=99, novelty=1))
    with pytest.raises(BadDataError, match="upgrade molcaption"):
        load_manifest(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(max_new_tokens=5),
        lambda manifest: manifest["parity"].update(equal_captions=0.5),
        lambda manifest: manifest["files"]["decoder.npz"].pop("sha256"),
        lambda manifest: manifest.pop("sha256"),
        lambda manifest: manifest.update(schema="2"),
    ],
)
def test_manifest_edited_by_hand(copy: Path, change: Callable[[dict[str, Any]], None]) -> None:
    edit(copy, change)
    with pytest.raises(BadDataError, match="edited after it was written") as caught:
        load_manifest(copy)
    assert "\n" not in str(caught.value)


def first_schema(manifest: dict[str, Any]) -> None:
    """Manifests of schema 1 had neither a digest nor a target nor a word on batches."""
    del manifest["sha256"], manifest["target"], manifest["batch_invariant"]
    manifest["schema"] = 1


def test_first_schema_loads(copy: Path) -> None:
    before = load_manifest(copy)
    edit(copy, first_schema)
    assert load_manifest(copy) == replace(before, schema=1)
    assert load_manifest(copy).model_hash == before.model_hash


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("prompt"),
        lambda manifest: manifest.update(surplus=1),
        lambda manifest: manifest["prompt"].update(text="no slots"),
        lambda manifest: manifest["files"].pop("decoder.npz"),
        lambda manifest: manifest["files"]["decoder.npz"].pop("sha256"),
    ],
)
def test_manifest_of_first_schema_edited_by_hand(
    copy: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    edit(copy, lambda manifest: (first_schema(manifest), change(manifest)))
    with pytest.raises(BadDataError) as caught:
        load_manifest(copy)
    assert "\n" not in str(caught.value)


def test_bundle_for_another_target(copy: Path) -> None:
    write_manifest(copy, replace(load_manifest(copy), target="tpu"))
    with pytest.raises(MissingError, match=r"made for tpu, this molcaption runs .* cpu, cuda"):
        load_manifest(copy)


def test_bundle_for_cuda_that_cannot_move_its_cache(copy: Path) -> None:
    write_manifest(copy, replace(load_manifest(copy), target="cuda"))
    with pytest.raises(BadDataError, match=r"lists no gather\.onnx"):
        load_manifest(copy)


def test_recorded_parity_changes_nothing_else(copy: Path) -> None:
    before = load_manifest(copy)
    record_parity(copy, before, {"molecules": 3})
    after = load_manifest(copy)
    assert after == replace(before, parity={"molecules": 3})
    assert after.model_hash == before.model_hash


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_manifest_that_is_none(copy: Path, text: str) -> None:
    (copy / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(BadDataError, match="no manifest of a bundle"):
        load_manifest(copy)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(MolcaptionError, match="molcaption export"):
            load_manifest(path)


def test_model_hash_is_of_what_decides_a_caption(tiny_bundle: Path) -> None:
    manifest = load_manifest(tiny_bundle)
    told = {"schema": 1, "tools": {}, "parity": {}, "source": {}}
    assert replace(manifest, **told).model_hash == manifest.model_hash
    for name in asdict(manifest).keys() - told:
        assert replace(manifest, **{name: "other"}).model_hash != manifest.model_hash, name

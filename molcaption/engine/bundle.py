"""An ONNX bundle on disk: what `export` writes, `caption` loads and a colleague is handed.

``manifest.json`` says everything that the files do not: prompt, end tokens, decode defaults, where
the weights come from, size and SHA-256 of every file but the model card, and a digest of itself.
A bundle is written whole or not at all (built in a hidden sibling directory, then renamed) and
checked whole when it is loaded: a caption from half-copied weights would look like any other.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from molcaption.data.atomic import atomic_write
from molcaption.data.features import VOCABULARY
from molcaption.data.prompt import PromptTemplate
from molcaption.engine.hashes import CARD, file_hashes
from molcaption.engine.packed import STORAGES
from molcaption.errors import BadDataError, MissingError

SCHEMA = 4
"""2 added target, the manifest's own digest, 4-bit weights and 8-bit embeddings; 3 added
batch_invariant and what it is for; 4 added integers. Older ones still load."""
FAST = "fast"
WEIGHTS = (*STORAGES, FAST)
"""What an export can be asked for: ways to store weights that are computed in floating point, and
``fast``, whose decoder multiplies 8-bit integers."""
TARGETS = ("cpu", "cuda")
"""What bundles can be made for, and run on."""
_DIGEST = "sha256"
"""Key of the manifest's digest of itself."""
MANIFEST = "manifest.json"
BRIDGE, DECODER, EMBEDDINGS, TOKENIZER = "bridge", "decoder", "embeddings.npy", "tokenizer.json"
GATHER = "gather.onnx"
"""Moves sequences about the memory of a GPU; in bundles for one only."""
REQUIRED = (
    f"{BRIDGE}.onnx",
    f"{BRIDGE}.npz",
    f"{DECODER}.onnx",
    f"{DECODER}.npz",
    EMBEDDINGS,
    TOKENIZER,
)


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """What one needs to know of a decoder to run it.

    Attributes:
        positions: the longest sequence, prompt and caption together.
        integers: matrices that it multiplies as integers.
    """

    layers: int
    kv_heads: int
    head_dim: int
    width: int
    vocabulary: int
    positions: int
    integers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """Everything about a bundle besides its weights.

    Attributes:
        name: of the captioner, from its recipe.
        weights: one of `WEIGHTS`.
        prompt: the template with its slots.
        max_prompt_tokens, max_new_tokens: limits of prompt and caption.
        no_repeat_ngram: no run of so many tokens occurs twice in a caption; 0 allows everything.
        features: how many features it reads beside the graph; ``features.json`` names them.
        draws: captions drawn beside the greedy one, unless the user says otherwise.
        source: hash of the model directory, recipe name and hash, molcaption's version.
        tools: versions of the packages that made the bundle.
        parity: measured differences from torch; empty when nobody measured.
        files: bytes and sha256 of every file by name; filled when the bundle is written.
        target: what it runs on, one of `TARGETS`.
        batch_invariant: whether a caption is the same in any batch.
    """

    name: str
    weights: str
    decoder: DecoderShape
    prompt: PromptTemplate
    graph_token_id: int
    end_token_ids: list[int]
    max_prompt_tokens: int
    max_new_tokens: int
    no_repeat_ngram: int = 0
    draws: int = 0
    features: int = 0
    source: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    target: str = "cpu"
    batch_invariant: bool = True
    schema: int = SCHEMA

    @property
    def model_hash(self) -> str:
        """Identity of all that decides a caption: the files, the prompt and the limits."""
        told = ("schema", "tools", "parity", "source")
        decisive = {key: value for key, value in asdict(self).items() if key not in told}
        text = json.dumps(decisive, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(directory: Path, manifest: Manifest) -> Manifest:
    """Write ``manifest.json`` over the files now in ``directory``; returns it with their hashes."""
    paths = [path for path in directory.iterdir() if path.name not in (MANIFEST, CARD)]
    hashes = file_hashes(directory, sorted(path.name for path in paths))
    files = {
        name: {"bytes": (directory / name).stat().st_size, "sha256": sha256}
        for name, sha256 in hashes.items()
    }
    return _write(directory, replace(manifest, files=files))


def record_parity(directory: Path, manifest: Manifest, parity: dict[str, Any]) -> Manifest:
    """Write newly measured parity into the manifest of a bundle, and nothing else.

    Raises:
        CannotWriteError: the bundle is read-only, or the disk is full.
    """
    return _write(directory, replace(manifest, parity=parity))


def load_manifest(directory: str | Path) -> Manifest:
    """Read and check a bundle.

    Raises:
        MissingError: no such directory, no manifest, or a file of it is missing.
        BadDataError: a manifest that is no manifest, a newer schema, or a file that was truncated
            or altered.
    """
    directory = Path(directory)
    path = directory / MANIFEST
    if not path.is_file():
        what = "is no directory" if not directory.is_dir() else f"has no {MANIFEST}"
        raise MissingError(f"bundle {directory}: {what}; make one with `molcaption export`")
    manifest = _parse(path)
    if manifest.target not in TARGETS:
        raise MissingError(
            f"bundle {directory}: made for {manifest.target}, this molcaption runs bundles for "
            f"{', '.join(TARGETS)}; export the model again"
        )
    missing = [name for name in (*REQUIRED, *manifest.files) if not (directory / name).is_file()]
    if missing:
        raise MissingError(
            f"bundle {directory}: {missing[0]} is missing; copy or export the bundle again"
        )
    needed = [*REQUIRED, *([VOCABULARY] if manifest.features else [])]
    for name in [*needed, *([GATHER] if manifest.target == "cuda" else [])]:
        if name not in manifest.files:
            raise BadDataError(f"{path}: lists no {name}; export the bundle again")
    _check_files(directory, manifest.files)
    return manifest


def _parse(path: Path) -> Manifest:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        schema, digest = stored["schema"], stored.pop(_DIGEST, None)
        if isinstance(schema, int) and schema > SCHEMA:
            raise BadDataError(
                f"{path}: schema {schema} is newer than this molcaption reads ({SCHEMA}); "
                "upgrade molcaption"
            )
        if schema != 1 and digest != _digest(stored):
            raise BadDataError(f"{path}: was edited after it was written; export the bundle again")
        stored["decoder"] = DecoderShape(**stored["decoder"])
        stored["prompt"] = PromptTemplate(**stored["prompt"])
        return Manifest(**stored)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadDataError(
            f"{path}: no manifest of a bundle ({type(error).__name__}: {error}); export it again"
        ) from error


def _write(directory: Path, manifest: Manifest) -> Manifest:
    manifest = replace(manifest, schema=SCHEMA)
    # As it will be read back: JSON knows fewer types than Python.
    stored = json.loads(json.dumps(asdict(manifest)))
    text = json.dumps({**stored, _DIGEST: _digest(stored)}, indent=1, ensure_ascii=False) + "\n"
    with atomic_write(directory / MANIFEST, "w") as file:
        file.write(text)
    return manifest


def _digest(stored: Mapping[str, Any]) -> str:
    """Of all keys of a manifest but the digest itself."""
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def _check_files(directory: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Sizes first: they cost nothing, and a copy that was cut short has another one."""
    for name, expected in files.items():
        _compare(directory / name, "bytes", expected, (directory / name).stat().st_size)
    for name, sha256 in file_hashes(directory, list(files)).items():
        _compare(directory / name, "sha256", files[name], sha256)


def _compare(path: Path, what: str, expected: Mapping[str, Any], got: int | str) -> None:
    if got != expected.get(what):
        raise BadDataError(
            f"{path}: damaged: {what} expected {expected.get(what)}, got {got}; "
            "copy or export the bundle again"
        )

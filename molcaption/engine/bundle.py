"""An ONNX bundle on disk: what `export` writes, `caption` loads and a colleague is handed.

``manifest.json`` says everything that the files do not: prompt, end tokens, decode defaults, where
the weights come from, and size and SHA-256 of every file but the model card. A bundle is written
whole or not at all (built in a hidden sibling directory, then renamed) and checked whole when it is
loaded: a caption from half-copied weights would look like any other caption.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from molcaption.data.features import VOCABULARY
from molcaption.data.prompt import PromptTemplate
from molcaption.errors import BadDataError, MissingError

SCHEMA = 1
MANIFEST = "manifest.json"
CARD = "README.md"
"""The model card: for people, who may add to it, so its hash is nobody's business."""
BRIDGE, DECODER, EMBEDDINGS, TOKENIZER = "bridge", "decoder", "embeddings.npy", "tokenizer.json"
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
    """What a key/value cache needs to know of a decoder.

    ``positions`` is the longest sequence, prompt and caption together.
    """

    layers: int
    kv_heads: int
    head_dim: int
    width: int
    vocabulary: int
    positions: int


@dataclass(frozen=True)
class Manifest:
    """Everything about a bundle besides its weights.

    Attributes:
        name: of the captioner, from its recipe.
        weights: how they are stored: fp32, fp16 or int8.
        prompt: the template with its slots.
        max_prompt_tokens, max_new_tokens: limits of prompt and caption.
        no_repeat_ngram: no run of so many tokens occurs twice in a caption; 0 allows everything.
        features: how many features it reads beside the graph; ``features.json`` names them.
        draws: captions drawn beside the greedy one, unless the user says otherwise.
        source: hash of the model directory, recipe name and hash, molcaption's version.
        tools: versions of the packages that made the bundle.
        parity: measured differences from torch; empty when nobody measured.
        files: bytes and sha256 of every file by name; filled when the bundle is written.
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
    schema: int = SCHEMA

    def with_parity(self, parity: dict[str, Any]) -> "Manifest":
        """The same with measured parity."""
        return replace(self, parity=parity)

    @property
    def model_hash(self) -> str:
        """Identity of all that decides a caption: the files, the prompt and the limits."""
        decisive = {k: v for k, v in asdict(self).items() if k not in ("tools", "parity", "source")}
        text = json.dumps(decisive, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(directory: Path, manifest: Manifest) -> Manifest:
    """Write ``manifest.json`` over the files now in ``directory``; returns it with their hashes."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(directory.iterdir())
        if path.name not in (MANIFEST, CARD)
    }
    filled = replace(manifest, files=files)
    text = json.dumps(asdict(filled), indent=1, ensure_ascii=False) + "\n"
    (directory / MANIFEST).write_text(text, encoding="utf-8")
    return filled


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
    missing = [name for name in (*REQUIRED, *manifest.files) if not (directory / name).is_file()]
    if missing:
        raise MissingError(
            f"bundle {directory}: {missing[0]} is missing; copy or export the bundle again"
        )
    for name in (*REQUIRED, *((VOCABULARY,) if manifest.features else ())):
        if name not in manifest.files:
            raise BadDataError(f"{path}: lists no {name}; export the bundle again")
    for name, expected in manifest.files.items():
        _check_file(directory / name, expected)
    return manifest


def file_sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def directory_sha256(directory: Path) -> str:
    """One digest over the names and contents of a directory's files."""
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        if path.is_file():
            digest.update(f"{path.name} {file_sha256(path)}\n".encode())
    return digest.hexdigest()


def _parse(path: Path) -> Manifest:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        schema = stored["schema"]
        if isinstance(schema, int) and schema > SCHEMA:
            raise BadDataError(
                f"{path}: schema {schema} is newer than this molcaption reads ({SCHEMA}); "
                "upgrade molcaption"
            )
        stored["decoder"] = DecoderShape(**stored["decoder"])
        stored["prompt"] = PromptTemplate(**stored["prompt"])
        return Manifest(**stored)
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError(
            f"{path}: no manifest of a bundle ({type(error).__name__}: {error}); export it again"
        ) from error


def _check_file(path: Path, expected: dict[str, Any]) -> None:
    checks: list[tuple[str, Callable[[], Any]]] = [
        ("bytes", lambda: path.stat().st_size),
        ("sha256", lambda: file_sha256(path)),
    ]
    for what, measure in checks:
        got = measure()
        if got != expected.get(what):
            raise BadDataError(
                f"{path}: damaged: {what} expected {expected.get(what)}, got {got}; "
                "copy or export the bundle again"
            )

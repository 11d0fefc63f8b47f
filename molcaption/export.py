"""The verb ``export``: a merged model as an ONNX bundle that captions without torch.

After the files are written the bundle is loaded and compared with torch on real molecules, and the
differences go into its manifest: a bundle says itself how far it is from what was trained.
"""

import importlib.metadata
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molcaption import __version__
from molcaption.chem.molecule import Molecule
from molcaption.claims import load_lexicon
from molcaption.data.folders import atomic_directory, check_directory
from molcaption.data.readers import read_molecules
from molcaption.engine import bundle
from molcaption.engine.merged import MergedModel, check_merged, load_merged
from molcaption.engine.questions import Question, questions
from molcaption.errors import MissingError, UsageError

_log = logging.getLogger(__name__)
WEIGHTS = {"fp32": "fp32", "fp16": "fp16", "int8": "fp16"}
"""How the decoder's matrices are stored -> how those of the small encoder and projector are."""
_SAMPLE = (
    "CCO", "[Na+].[Cl-]", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "[He]", "C[C@H](N)C(=O)O",
    "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C",
    "CCCCCCCCCCCCCCCC(=O)O", "C/C=C/C(=O)NS(=O)(=O)c1ccc(Cl)cc1",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O", "[O-][N+](=O)c1ccccc1",
)  # fmt: skip
"""Molecules to measure parity on when the user names none."""


def export(
    model_dir: str | Path,
    output: str | Path,
    weights: str = "int8",
    *,
    parity_input: str | Path | None = None,
    parity_limit: int = 500,
    max_new_tokens: int | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write the bundle ``output`` and return its measured parity.

    Args:
        model_dir: a merged model directory.
        weights: storage of the decoder: fp32, fp16, or int8 (blocks of 32 share a scale).
        parity_input: molecules to measure on (any compound file); default: a dozen built in.
        parity_limit: how many of them.
        max_new_tokens: longest caption that parity compares; default: the model's own limit.
        force: replace an existing bundle.

    Raises:
        MissingError: the model is not merged, or an export package is missing.
        BadDataError: a damaged model, or an architecture that cannot be exported.
        CannotWriteError: ``output`` exists or cannot be written.
    """
    if weights not in WEIGHTS:
        raise UsageError(f"weights {weights!r}: expected one of {', '.join(WEIGHTS)}")
    model_dir = Path(model_dir)
    check_directory(output, force=force)
    check_merged(model_dir)
    _check_packages()
    smiles = _parity_smiles(parity_input, parity_limit)
    model = load_merged(model_dir, device="cpu")
    molecules = questions(smiles, model.vocabulary, load_lexicon())
    with atomic_directory(output, force=force) as directory:
        manifest = _write_files(model, model_dir, directory, weights)
        bundle.write_manifest(directory, manifest)
        parity = _measure(model, model_dir, directory, molecules, max_new_tokens)
        manifest = bundle.write_manifest(directory, manifest.with_parity(parity))
    size = sum(file["bytes"] for file in manifest.files.values())
    _log.info(
        "%s: %.1f MB, %s weights; against torch on %d molecules: graph tokens differ by at most "
        "%.1e, logits by %.1e, %.1f%% of the captions are equal",
        output, size / 1e6, weights, len(molecules), parity["graph_tokens_max_difference"],
        parity["logits_max_difference"], 100 * parity["equal_captions"],
    )  # fmt: skip
    return parity


def _write_files(
    model: MergedModel, model_dir: Path, directory: Path, weights: str
) -> bundle.Manifest:
    """All files but the manifest."""
    from molcaption.engine.onnx_export import export_bridge, export_decoder

    captioner = model.captioner
    export_bridge(captioner.bridge, directory, WEIGHTS[weights])
    positions = model.max_prompt_tokens + model.max_new_tokens
    shape = export_decoder(model_dir, captioner.llm, directory, weights, positions)
    shutil.copyfile(model_dir / bundle.TOKENIZER, directory / bundle.TOKENIZER)
    if model.vocabulary is not None:
        model.vocabulary.save(directory)
    (directory / bundle.CARD).write_text(_readme(model, weights), encoding="utf-8")
    return bundle.Manifest(
        name=model.name,
        weights=weights,
        decoder=shape,
        prompt=model.prompt,
        graph_token_id=captioner.graph_token_id,
        end_token_ids=model.end_token_ids,
        max_prompt_tokens=model.max_prompt_tokens,
        max_new_tokens=model.max_new_tokens,
        no_repeat_ngram=model.no_repeat_ngram,
        draws=model.draws,
        features=0 if model.vocabulary is None else len(model.vocabulary.names),
        source={
            **{key: str(value) for key, value in model.provenance.items()},
            "model_sha256": bundle.directory_sha256(model_dir),
        },
        tools=_tools(),
    )


def _measure(
    model: MergedModel,
    model_dir: Path,
    directory: Path,
    molecules: Sequence[Question],
    max_new_tokens: int | None,
) -> dict[str, Any]:
    from molcaption.engine.parity import measure_parity

    return measure_parity(model, directory, molecules, max_new_tokens=max_new_tokens)


def _parity_smiles(path: str | Path | None, limit: int) -> list[str]:
    if path is None:
        return list(_SAMPLE)
    records = read_molecules([path], limit=limit)
    return [record.smiles for record in records if isinstance(record, Molecule)]


def _check_packages() -> None:
    """Name a missing export package before minutes of work."""
    for package in ("onnx", "onnxscript", "onnxruntime", "onnxruntime-genai"):
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError as error:
            raise MissingError(
                f"export: {package} is not installed; pip install 'molcaption[train]'"
            ) from error


def _tools() -> dict[str, str]:
    packages = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "onnxruntime-genai")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {"molcaption": __version__, **versions}


def _readme(model: MergedModel, weights: str) -> str:
    return (
        f"# {model.name}: a molcaption bundle\n\n"
        "Captions molecules with onnxruntime alone:\n\n"
        "    molcaption caption compounds.sdf -o captions.parquet --model THIS_FOLDER\n\n"
        f"Weights are stored as {weights} and computed in float32. `manifest.json` holds the "
        "prompt, the hashes of all files, where the weights come from, and how far the bundle is "
        "from torch.\n"
    )

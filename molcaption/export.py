"""The verb ``export``: a merged model as an ONNX bundle that captions without torch.

After the files are written the bundle is loaded and compared with torch on real molecules, and the
differences go into its manifest: a bundle says itself how far it is from what was trained. `verify`
measures the same again, later and on molecules of the user's choice.
"""

import importlib.metadata
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

from molcaption import __version__
from molcaption.chem.molecule import Molecule
from molcaption.claims import load_lexicon
from molcaption.data.folders import atomic_directory, check_directory
from molcaption.data.readers import read_molecules
from molcaption.engine import bundle
from molcaption.engine.hashes import CARD, directory_sha256
from molcaption.engine.merged import MergedModel, check_merged, load_merged
from molcaption.engine.questions import questions
from molcaption.errors import BadDataError, MissingError, NoInputError, UsageError

_log = logging.getLogger(__name__)
_SAMPLE = (
    "CCO", "[Na+].[Cl-]", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "[He]", "C[C@H](N)C(=O)O",
    "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C",
    "CCCCCCCCCCCCCCCC(=O)O", "C/C=C/C(=O)NS(=O)(=O)c1ccc(Cl)cc1",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O", "[O-][N+](=O)c1ccccc1",
)  # fmt: skip
"""Molecules to measure parity on when the user names none."""
_CUDA_WEIGHTS = ("fp16", "int8", "int4")
_PACKAGES = ("onnx", "onnxscript", "onnxruntime-genai")


def export(
    model_dir: str | Path,
    output: str | Path,
    weights: str = "int8",
    *,
    target: str = "cpu",
    parity_input: str | Path | None = None,
    parity_limit: int = 500,
    max_new_tokens: int | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write the bundle ``output`` and return its measured parity, empty if it cannot run here.

    Args:
        model_dir: a merged model directory.
        weights: one of `bundle.WEIGHTS`; for ``cuda`` not fp32, which onnxruntime's attention
            does not compute there, nor fast.
        target: one of `bundle.TARGETS`: what the bundle will run on.
        parity_input: molecules to measure on (any compound file); default: a dozen built in.
        parity_limit: how many of them.
        max_new_tokens: longest caption that parity compares; default: the model's own limit.
        force: replace an existing bundle.

    Raises:
        MissingError: the model is not merged, or an export package is missing.
        BadDataError: a damaged model, or an architecture that cannot be exported.
        CannotWriteError: ``output`` exists or cannot be written.
    """
    if weights not in bundle.WEIGHTS:
        raise UsageError(f"weights {weights!r}: expected one of {', '.join(bundle.WEIGHTS)}")
    if target not in bundle.TARGETS:
        raise UsageError(f"target {target!r}: expected one of {', '.join(bundle.TARGETS)}")
    if target == "cuda" and weights not in _CUDA_WEIGHTS:
        raise UsageError(
            f"weights {weights} are for the cpu; for cuda one of {', '.join(_CUDA_WEIGHTS)}"
        )
    model_dir = Path(model_dir)
    check_directory(output, force=force)
    check_merged(model_dir)
    _check_packages()
    molecules = _read(parity_input, parity_limit)
    model = load_merged(model_dir, device="cpu")
    with atomic_directory(output, force=force) as directory:
        manifest = _write_files(model, model_dir, directory, weights, target)
        manifest = bundle.write_manifest(directory, manifest)
        try:
            parity = _measure(model, model_dir, directory, molecules, max_new_tokens)
        except MissingError:
            if target == "cpu":
                raise
            parity = {}
            _log.warning(
                "parity is not measured, since %s is not here: `molcaption export --verify` does "
                "it where there is", target
            )  # fmt: skip
        bundle.record_parity(directory, manifest, parity)
    size = sum(file["bytes"] for file in manifest.files.values())
    _log.info("%s: %.1f MB, %s weights", output, size / 1e6, weights)
    for line in table(parity) if parity else []:
        _log.info("%s", line)
    return parity


def verify(
    model_dir: str | Path,
    directory: str | Path,
    molecules: str | Path,
    *,
    limit: int = 500,
    max_new_tokens: int | None = None,
) -> dict[str, Any]:
    """Measure a bundle against its model; prints a table and writes it into the manifest.

    Args:
        model_dir: the merged model directory that the bundle was made of.
        molecules: any compound file; where every molecule has a description, both are scored.
        limit: how many of its molecules.
        max_new_tokens: as for `export`.

    Raises:
        MissingError, BadDataError: as `export`, or the bundle is damaged, or made of another model.
        NoInputError: no molecule to measure on.
        CannotWriteError: the manifest cannot be written; the table is printed first.
    """
    model_dir, directory = Path(model_dir), Path(directory)
    check_merged(model_dir)
    manifest = bundle.load_manifest(directory)
    if manifest.source.get("model_sha256") != directory_sha256(model_dir):
        raise BadDataError(
            f"bundle {directory}: was not made of {model_dir} as it is now; name the model that it "
            "was made of, or export it again"
        )
    asked = _read(molecules, limit)
    parity = _measure(
        load_merged(model_dir, device="cpu"), model_dir, directory, asked, max_new_tokens
    )
    sys.stdout.writelines(f"{line}\n" for line in table(parity))
    bundle.record_parity(directory, manifest, parity)
    return parity


def table(parity: dict[str, Any]) -> list[str]:
    """Measured parity for the eye: one line a figure, the model's beside the bundle's."""
    names = ["", "MB", "captions/s", "refuted captions", "BLEU-4"]
    columns = [["model", *_figures(parity["model"])], ["bundle", *_figures(parity["bundle"])]]
    differences = [
        f"{name:<20}  at most {parity[f'{key}_max_difference']:.1e}, "
        f"on average {parity[f'{key}_mean_difference']:.1e}"
        for name, key in (("graph tokens differ", "graph_tokens"), ("logits differ", "logits"))
    ]
    return [
        f"{'molecules':<20}  {parity['molecules']}",
        *differences,
        f"{'equal captions':<20}  {parity['equal_captions']:.1%}",
        *(
            f"{name:<20}  {left:>10}  {right:>10}"
            for name, left, right in zip(names, *columns, strict=False)
        ),
    ]


def _figures(side: dict[str, Any]) -> list[str]:
    figures = [
        f"{side['bytes'] / 1e6:.1f}",
        f"{side['captions_per_second']:.2f}",
        f"{side['refuted']:.1%}",
    ]
    return [*figures, f"{side['bleu4']:.4f}"] if "bleu4" in side else figures


def _write_files(
    model: MergedModel, model_dir: Path, directory: Path, weights: str, target: str
) -> bundle.Manifest:
    """All files but the manifest."""
    from molcaption.engine.onnx_export import export_bridge, export_decoder, stored_as

    captioner = model.captioner
    export_bridge(captioner.bridge, directory, stored_as(weights))
    positions = model.max_prompt_tokens + model.max_new_tokens
    shape = export_decoder(model_dir, captioner.llm, directory, weights, target, positions)
    shutil.copyfile(model_dir / bundle.TOKENIZER, directory / bundle.TOKENIZER)
    if model.vocabulary is not None:
        model.vocabulary.save(directory)
    (directory / CARD).write_text(_readme(model, weights, target), encoding="utf-8")
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
            "model_sha256": directory_sha256(model_dir),
        },
        tools=_tools(),
        target=target,
        batch_invariant=target == "cpu",
    )


def _measure(
    model: MergedModel,
    model_dir: Path,
    directory: Path,
    molecules: list[Molecule] | None,
    max_new_tokens: int | None,
) -> dict[str, Any]:
    """Parity on ``molecules``, or on those built in."""
    from molcaption.engine.parity import measure_parity

    smiles = list(_SAMPLE) if molecules is None else [molecule.smiles for molecule in molecules]
    described = [molecule.description or "" for molecule in molecules or []]
    return measure_parity(
        model,
        model_dir,
        directory,
        questions(smiles, model.vocabulary, load_lexicon()),
        described if described and all(described) else None,
        max_new_tokens=max_new_tokens,
    )


def _read(path: str | Path | None, limit: int) -> list[Molecule] | None:
    """Molecules to measure on; None for those built in."""
    if path is None:
        return None
    records = read_molecules([path], limit=limit)
    molecules = [record for record in records if isinstance(record, Molecule)]
    if not molecules:
        raise NoInputError(f"{path}: no molecule to measure on; give another file")
    return molecules


def _check_packages() -> None:
    """Name a missing export package before minutes of work."""
    for package in _PACKAGES:
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError as error:
            raise MissingError(
                f"export: {package} is not installed; pip install 'molcaption[train]'"
            ) from error


def _tools() -> dict[str, str]:
    import onnxruntime  # of onnxruntime or onnxruntime-gpu

    names = ("torch", "transformers", *_PACKAGES)
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"molcaption": __version__, "onnxruntime": onnxruntime.__version__, **versions}


def _readme(model: MergedModel, weights: str, target: str) -> str:
    computed = f"Weights are stored as {weights} and computed in float32."
    if target == "cuda":
        computed = (
            f"Needs an NVIDIA GPU. Weights are stored as {weights} and the decoder computes in "
            "float16. A caption may change with `--batch-size` and with what is captioned beside "
            "it."
        )
    elif weights == bundle.FAST:
        computed = "Weights are stored as int8, and the decoder multiplies 8-bit integers."
    return (
        f"# {model.name}: a molcaption bundle\n\n"
        "Captions molecules with onnxruntime alone:\n\n"
        "    molcaption caption compounds.sdf -o captions.parquet --model THIS_FOLDER\n\n"
        f"{computed} `manifest.json` holds the prompt, the hashes of all files, where the weights "
        "come from, and how far the bundle is from torch.\n"
    )

"""`doctor`: what this installation has, what it lacks, and what to do about it.

Needed is what captioning with the default model needs; the rest is told but fails nothing. Nothing
is changed and no network is used. Packages are imported for real, since one that is installed may
still miss a system library.
"""

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from molcaption import __version__
from molcaption.engine import BATCH_SIZE
from molcaption.errors import MissingError
from molcaption.shipped import DEFAULT_MODEL, shipped_path

# distribution: module
_CORE = {
    "typer": "typer", "rich": "rich", "pydantic": "pydantic", "PyYAML": "yaml", "rdkit": "rdkit",
    "numpy": "numpy", "pyarrow": "pyarrow", "onnxruntime": "onnxruntime",
    "tokenizers": "tokenizers", "huggingface-hub": "huggingface_hub", "nltk": "nltk",
    "rouge-score": "rouge_score", "sacrebleu": "sacrebleu",
}  # fmt: skip
_TRAIN = ("torch", "transformers", "peft", "accelerate", "safetensors",
          "bitsandbytes", "onnx", "onnxruntime-genai")  # fmt: skip
_LOW_DISK = 2**30
"""Bytes; less than this is too little for a bundle and its output."""
_QWEN3_BYTES = 2 * 596_049_920
"""Weights of Qwen3-0.6B in bfloat16."""
_USABLE, _MOST_ROWS = 0.9, 256
"""Share of a GPU's free memory to plan with, and rows beyond which speed no longer grows."""
_NF4_TOLERANCE = 0.02
"""bfloat16 keeps 8 bits."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        found: what there is.
        ok: None where a part that is not needed is absent.
        advice: what to do, unless all is well.
    """

    name: str
    found: str
    ok: bool | None
    needed: bool = False
    advice: str = ""


def doctor(*, as_json: bool = False, folder: str | Path = ".") -> None:
    """Write the findings to stdout, as a table or as JSON.

    Args:
        folder: where outputs would go.

    Raises:
        MissingError: something needed is missing; the table is written first.
    """
    findings = list(examine(Path(folder)))
    missing = [finding.name for finding in findings if finding.needed and not finding.ok]
    if as_json:
        report = {"ok": not missing, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.writelines(_line(finding) for finding in findings)
    sys.stdout.flush()
    if missing:
        raise MissingError(f"needed, but not in order: {', '.join(missing)}")


def examine(folder: Path) -> Iterator[Finding]:
    """Look at everything, cheapest first."""
    yield Finding("molcaption", __version__, True)
    yield Finding("python", platform.python_version(), sys.version_info >= (3, 11), needed=True,
                  advice="3.11 or newer")  # fmt: skip
    yield Finding("cpus", str(len(os.sched_getaffinity(0))), True)
    yield _disk(folder)
    yield _writable(folder)
    yield _model()
    for name, module in _CORE.items():
        yield _core_package(name, module)
    yield from _guarded("onnxruntime providers", _providers)
    yield _runtime_clash()
    yield from _guarded("WordNet", _wordnet)
    for name in _TRAIN:
        found = _version(name)
        yield Finding(
            name,
            found or "not installed",
            found is not None or None,
            advice="only for training: pip install 'molcaption[train]'",
        )
    if _version("torch"):
        yield from _guarded("CUDA", _cuda)
        yield from _guarded("batch size", _batch_size)
    if _version("bitsandbytes"):
        yield from _guarded("NF4", _nf4)


def _line(finding: Finding) -> str:
    mark = {True: "ok", False: "FAILED" if finding.needed else "warn", None: "-"}[finding.ok]
    advice = f"  ({finding.advice})" if finding.advice and not finding.ok else ""
    return f"{mark:<6}  {finding.name:<22}  {finding.found}{advice}\n"


def _guarded(name: str, look: Callable[[], Finding]) -> Iterator[Finding]:
    """A look that fails for whatever reason is a finding too."""
    try:
        yield look()
    except Exception as error:  # noqa: BLE001  native packages raise anything when broken
        yield Finding(name, " ".join(f"{type(error).__name__}: {error}".split()), False)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _core_package(name: str, module: str) -> Finding:
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001  see `_guarded`
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Finding(name, reason, False, needed=True, advice=f"pip install {name}")
    alternative = "onnxruntime-gpu" if name == "onnxruntime" else name
    return Finding(name, _version(name) or _version(alternative) or "present", True, needed=True)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    return Finding("disk", f"{free / 2**30:.1f} GiB free in {folder.resolve()}", free > _LOW_DISK,
                   advice="little room for outputs")  # fmt: skip


def _writable(folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"molcaption")
    except OSError as error:
        return Finding("output folder", f"{folder.resolve()}: {error.strerror}", False,
                       advice="write elsewhere with -o")  # fmt: skip
    return Finding("output folder", "writable", True)


def _model() -> Finding:
    found = shipped_path(f"{DEFAULT_MODEL}/manifest.json")
    where = str(found.parent) if found else "not shipped here"
    return Finding("default model", where, found is not None, needed=True,
                   advice="name a model with caption --model")  # fmt: skip


def _providers() -> Finding:
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    return Finding("onnxruntime providers", ", ".join(providers),
                   "CPUExecutionProvider" in providers, needed=True)  # fmt: skip


def _runtime_clash() -> Finding:
    both = _version("onnxruntime") and _version("onnxruntime-gpu")
    advice = "CUDA is lost: pip uninstall onnxruntime onnxruntime-gpu, then install the latter"
    found = "onnxruntime and onnxruntime-gpu together" if both else "none"
    return Finding("runtime clash", found, not both, advice=advice)


def _wordnet() -> Finding:
    import nltk

    for name in ("corpora/wordnet", "corpora/wordnet.zip"):
        try:
            return Finding("WordNet", str(nltk.data.find(name)), True)
        except LookupError:
            continue
    advice = "METEOR goes by words and stems; score --wordnet DIR names one"
    return Finding("WordNet", "not found", None, advice=advice)


def _cuda() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("CUDA", "not available", None, advice="training and captions run on CPUs")
    devices = [
        f"{torch.cuda.get_device_name(n)} ({free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"
        for n in range(torch.cuda.device_count())
        for free, total in [torch.cuda.mem_get_info(n)]
    ]
    return Finding("CUDA", f"{torch.version.cuda}: {', '.join(devices)}", True)


def _batch_size() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("batch size", f"{BATCH_SIZE}: the default", True)
    free, _ = torch.cuda.mem_get_info()
    rows = batch_size_for(free)
    return Finding("batch size", f"{rows}: as fits beside Qwen3-0.6B in bfloat16", rows > 0,
                   advice="too little memory is free on the GPU")  # fmt: skip


def batch_size_for(free: int) -> int:
    """The largest power of two of rows whose cache fits in ``free`` bytes beside Qwen3-0.6B; or 0.

    A row is counted as long as it may get, 512 tokens of prompt and 256 of caption: for each, 28
    layers keep a key and a value of 8 heads of 128 numbers, in two bytes.
    """
    row = (512 + 256) * 28 * 2 * 8 * 128 * 2
    rows = int(free * _USABLE - _QWEN3_BYTES) // row
    return 1 << min(rows, _MOST_ROWS).bit_length() - 1 if rows > 0 else 0


def _nf4() -> Finding:
    from molcaption.nn.backbone import best_device, nf4_error

    error = nf4_error(best_device())
    return Finding("NF4", f"multiplies on {best_device()}, relative error {error:.0e}",
                   error < _NF4_TOLERANCE, advice="set backbone.quantization=none")  # fmt: skip

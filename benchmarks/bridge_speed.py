"""Encoder and projectors: onnxruntime against torch, how close and how fast.

    python benchmarks/bridge_speed.py MERGED BUNDLE FILE --batch-sizes 64 1024

Takes the structures of FILE; captions in it are not looked at. For a difference of 1e-5 the bundle
has to be exported with `--weights fp32`. Each side gets the same batches of ready features, on the
same number of threads except that the bundle's bridge keeps to its one. Prints one JSON object.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molcaption.chem.molecule import Molecule
from molcaption.claims import load_lexicon
from molcaption.data.collate import view_tensors
from molcaption.data.features import MoleculeView
from molcaption.data.readers import read_molecules
from molcaption.engine.merged import load_merged
from molcaption.engine.questions import questions
from molcaption.engine.runtimes.onnx import OnnxRuntime

Tokens = Callable[[Sequence[MoleculeView]], Any]


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    model, bundle = load_merged(Path(args.model), device="cpu"), OnnxRuntime.load(args.bundle)

    @torch.inference_mode()
    def reference(views: Sequence[MoleculeView]) -> Any:
        return model.captioner.bridge(**view_tensors(views)).numpy()

    records = read_molecules([args.input], limit=args.n)
    smiles = [record.smiles for record in records if isinstance(record, Molecule)]
    views = [view for view, _ in questions(smiles, bundle.vocabulary, load_lexicon())]
    atoms = [len(view.graph.x) for view in views]
    report: dict[str, Any] = {
        "molecules": len(views),
        "atoms": [min(atoms), max(atoms)],
        "threads": args.threads,
    }
    for size in args.batch_sizes:
        got, seconds = run(bundle.tokens, views, size)
        expected, reference_seconds = run(reference, views, size)
        report[f"batches of {size}"] = {
            "max_difference": float(np.abs(got - expected).max()),
            "bundle_molecules_per_second": round(len(views) / seconds),
            "torch_molecules_per_second": round(len(views) / reference_seconds),
            "times_faster": round(reference_seconds / seconds, 2),
        }
    json.dump(report, sys.stdout, indent=1)
    print()


def run(tokens: Tokens, views: Sequence[MoleculeView], size: int) -> tuple[Any, float]:
    """All tokens, and the seconds they took; a first batch warms up."""
    tokens(views[:size])
    start = time.perf_counter()
    parts = [tokens(views[i : i + size]) for i in range(0, len(views), size)]
    return np.concatenate(parts), time.perf_counter() - start


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="merged model directory")
    parser.add_argument("bundle", help="bundle exported from it")
    parser.add_argument("input", help="compound file")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64, 1024])
    parser.add_argument("-n", type=int, help="first N records")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


if __name__ == "__main__":
    main()

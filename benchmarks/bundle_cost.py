"""What a bundle costs: bytes, seconds to export and to load, memory.

    python benchmarks/bundle_cost.py exports/mini --input FILE -n 64
    python benchmarks/bundle_cost.py --export MERGED --weights int8 int4 --input FILE -n 8

Each bundle is loaded, and each export made, in a process of its own, so that its peak memory is its
own too. "load" is everything between the imports and the first caption that could be asked for; the
second start no longer has to hash the files. Prints one JSON object.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    args = parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](args)))
        return
    report = {str(path): started_twice(path, args) for path in args.bundles}
    with tempfile.TemporaryDirectory() as folder:
        for weights in args.weights if args.export else []:
            bundle = Path(folder) / weights
            made = run_part("export", bundle, args, weights=weights)
            report[weights] = {**made, **started_twice(bundle, args)}
    print(json.dumps(report, indent=1))


def started_twice(bundle: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Size of a bundle, and two starts with some captions each."""
    size = sum(path.stat().st_size for path in bundle.iterdir())
    first, second = (run_part("load", bundle, args) for _ in range(2))
    return {"megabytes": round(size / 1e6, 1), "first start": first, "second start": second}


def run_part(part: str, bundle: Path, args: argparse.Namespace, weights: str = "") -> Any:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, str(bundle), "--part", part, "-n", str(args.n)]
    command += ["--threads", str(args.threads), "--batch-size", str(args.batch_size)]
    command += ["--input", args.input, "--export", str(args.export), "--weights", weights]
    command += ["--max-new-tokens", str(args.max_new_tokens)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def export_bundle(args: argparse.Namespace) -> dict[str, Any]:
    """`molcaption export`, its look at parity kept short."""
    from molcaption.export import export

    start = time.perf_counter()
    parity = export(args.export, args.bundles[0], args.weights[0], max_new_tokens=4)
    return {
        "export_seconds": round(time.perf_counter() - start, 1),
        "export_peak_megabytes": peak(),
        "logits_max_difference": parity["logits_max_difference"],
    }


def load_bundle(args: argparse.Namespace) -> dict[str, Any]:
    """A start, and the greedy captions of the first molecules of the input."""
    start = time.perf_counter()
    from molcaption.chem.molecule import Molecule
    from molcaption.claims import load_lexicon
    from molcaption.data.readers import read_molecules
    from molcaption.engine.questions import questions
    from molcaption.engine.runtimes.onnx import OnnxRuntime

    imported = time.perf_counter()
    runtime = OnnxRuntime.load(args.bundles[0], threads=args.threads)
    loaded, loaded_peak = time.perf_counter(), peak()
    records = read_molecules([args.input], limit=args.n)
    smiles = [record.smiles for record in records if isinstance(record, Molecule)]
    asked = questions(smiles, runtime.vocabulary, load_lexicon())
    began = time.perf_counter()
    runtime.generate(asked, batch_size=args.batch_size, max_new_tokens=args.max_new_tokens)
    return {
        "import_seconds": round(imported - start, 2),
        "load_seconds": round(loaded - imported, 2),
        "loaded_peak_megabytes": loaded_peak,
        "captions_per_second": round(len(asked) / (time.perf_counter() - began), 2),
        "peak_megabytes": peak(),
    }


def peak() -> int:
    """Largest resident memory so far, of this process or of one that it waited for."""
    sizes = [resource.getrusage(who).ru_maxrss for who in (0, resource.RUSAGE_CHILDREN)]
    return round(max(sizes) * 1024 / 1e6)


PARTS = {"export": export_bundle, "load": load_bundle}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", type=Path, nargs="*")
    parser.add_argument("--export", type=Path, metavar="MERGED", help="model to export first")
    parser.add_argument("--weights", nargs="+", default=["int8", "int4"])
    parser.add_argument("--input", required=True, help="compound file")
    parser.add_argument("-n", type=int, default=64, help="first N records")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-new-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

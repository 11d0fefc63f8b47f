"""Records a second of `caption` against a plain transformers loop over the same weights.

    python benchmarks/caption_speed.py --model MERGED --bundle BUNDLE --input FILE -n 200

Both caption the same first N molecules of FILE in one run, each in a process of its own, so that
peak memory is its own too. Ours is the whole command: reading, featurising, checking of claims and
writing included. Theirs is the bare `generate` loop, molecules sorted by length, at several batch
sizes, of which the best counts. Writes one JSON object to standard output.
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

from molcaption.engine import BATCH_SIZE


def main() -> None:
    args = parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](args)))
        return
    ours = run_part("ours", args)
    theirs = [run_part("theirs", args, batch_size=size) for size in args.batch_sizes]
    best = max(theirs, key=lambda result: result["records_per_second"])
    report = {
        "cores": len(os.sched_getaffinity(0)),
        "records": args.n,
        "caption": ours,
        "generate": theirs,
        "times_faster_than_best_generate": round(
            ours["records_per_second"] / best["records_per_second"], 2
        ),
    }
    print(json.dumps(report, indent=1))


def run_part(part: str, args: argparse.Namespace, batch_size: int | None = None) -> dict[str, Any]:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--part", part, "--input", args.input, "-n", str(args.n)]
    command += ["--model", args.model, "--bundle", args.bundle, "--threads", str(args.threads)]
    command += ["--caption-threads", str(args.caption_threads or args.threads)]
    command += ["--batch-sizes", str(batch_size or args.batch_size)]
    command += [] if args.workers is None else ["--workers", str(args.workers)]
    if args.max_new_tokens:
        command += ["--max-new-tokens", str(args.max_new_tokens)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def caption_bundle(args: argparse.Namespace) -> dict[str, Any]:
    """The `caption` verb on the bundle; loading counts on both sides, imports on neither."""
    from molcaption.caption import caption

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        summary = caption(
            [args.input],
            Path(folder) / "out.parquet",
            model=args.bundle,
            limit=args.n,
            draws=0,
            batch_size=args.batch_sizes[0],
            threads=args.caption_threads,
            workers=args.workers,
            max_new_tokens=args.max_new_tokens,
        )
        seconds = time.perf_counter() - start
    return measured(summary.records, seconds, args.batch_sizes[0])


def generate_loop(args: argparse.Namespace) -> dict[str, Any]:
    """Batches of prompts through `generate`, on the merged model."""
    from gpu_caption import plain

    from molcaption.chem.molecule import Molecule
    from molcaption.claims import load_lexicon
    from molcaption.data.readers import read_molecules
    from molcaption.engine.questions import questions
    from molcaption.engine.runtimes.torch import TorchRuntime

    start = time.perf_counter()
    runtime = TorchRuntime.load(args.model, threads=args.threads)
    records = [r for r in read_molecules([args.input], limit=args.n) if isinstance(r, Molecule)]
    smiles = [record.smiles for record in records]
    molecules = questions(smiles, runtime.vocabulary, load_lexicon())
    size = args.batch_sizes[0]
    limit = args.max_new_tokens or runtime.model.max_new_tokens
    molecules.sort(key=lambda question: -len(question[1]))
    plain(runtime, molecules, size, limit)
    return measured(len(molecules), time.perf_counter() - start, size)


def measured(records: int, seconds: float, batch_size: int) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "batch_size": batch_size,
        "seconds": round(seconds, 2),
        "records_per_second": round(records / seconds, 3),
        "peak_megabytes": round(peak / 1e6),
    }


PARTS = {"ours": caption_bundle, "theirs": generate_loop}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="merged model directory")
    parser.add_argument("--bundle", required=True, help="bundle exported from it")
    parser.add_argument("--input", required=True, help="compound file")
    parser.add_argument("-n", type=int, default=200, help="first N records")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--caption-threads", type=int, help="of `caption`; as --threads by default")
    parser.add_argument("--workers", type=int, help="of `caption`")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="of `caption`")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 32], help="of theirs")
    parser.add_argument("--max-new-tokens", type=int)
    parser.add_argument("--part", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

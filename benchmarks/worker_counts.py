"""Records a second of `caption` and the decoder's idle share, by workers, threads and batch size.

    python benchmarks/worker_counts.py LIBRARY --limit 1000 --workers 0 1 2 --threads 1 2

Each combination is one run of the command; the numbers are those of its ``OUT.summary.json``.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from molcaption.engine.summary import summary_path


def main() -> None:
    args = parse_args()
    results = []
    for workers, threads, batch in product(args.workers, args.threads, args.batch_size):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out.parquet"
            command = [sys.executable, "-m", "molcaption", "-q", "caption", str(args.library)]
            command += ["-o", str(output), "--limit", str(args.limit)]
            command += ["--workers", str(workers), "--threads", str(threads)]
            command += ["--batch-size", str(batch)]
            command += ["--model", args.model] if args.model else []
            command += [] if args.draws is None else ["--draws", str(args.draws)]
            subprocess.run(command, check=True)
            told = json.loads(summary_path(output).read_text(encoding="utf-8"))
        result = {"workers": workers, "threads": threads, "batch_size": batch}
        result |= {key: round(told[key], 3) for key in ("rate", "idle", "seconds", "peak_mb")}
        print(json.dumps(result), file=sys.stderr)
        results.append(result)
    print(json.dumps(results, indent=1))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", help="the one that ships by default")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--draws", type=int, help="the model's own number by default")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch-size", type=int, nargs="+", default=[32])
    return parser.parse_args()


if __name__ == "__main__":
    main()

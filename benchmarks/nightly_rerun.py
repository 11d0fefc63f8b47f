"""Time of tonight's run over last night's library and some new compounds, with ``--cache``.

    python benchmarks/nightly_rerun.py LIBRARY --first 2000 --new 100

The second run reads all records but writes captions for the new ones only; the third is the same
command again. Writes one JSON object.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from molcaption.engine.summary import summary_path


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first = run(args, Path(folder), "first", args.first)
        second = run(args, Path(folder), "second", args.first + args.new)
        again = run(args, Path(folder), "second", args.first + args.new)
    report = {"first": first, "second": second, "again": again["seconds"],
              "second_over_first": round(second["seconds"] / first["seconds"], 3)}  # fmt: skip
    print(json.dumps(report, indent=1))


def run(args: argparse.Namespace, folder: Path, name: str, records: int) -> dict[str, Any]:
    """One night; ``records`` from the start of the library."""
    output = folder / f"{name}.parquet"
    command = [sys.executable, "-m", "molcaption", "-q", "caption", str(args.library)]
    command += ["-o", str(output), "--limit", str(records), "--cache", str(folder / "cache")]
    command += ["--model", args.model] if args.model else []
    start = time.monotonic()
    subprocess.run(command, check=True)
    seconds = time.monotonic() - start
    told = json.loads(summary_path(output).read_text(encoding="utf-8"))
    return {"records": told["records"], "made": told["made"], "seconds": round(seconds, 2)}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", help="the one that ships by default")
    parser.add_argument("--first", type=int, default=2000)
    parser.add_argument("--new", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    main()

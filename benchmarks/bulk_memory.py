"""Peak memory of `caption` over inputs of growing length, with a stub in place of the captioner.

    python benchmarks/bulk_memory.py --records 10000 100000 1000000

The structures are made up and nearly all different. Each length runs in a session of its own, whose
processes are sampled ten times a second: the main process alone, and all of them together (what
they share counts for each). Writes one JSON object to standard output.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

GROUPS = [f"{'C' * n}{end}" for n in range(1, 9) for end in ("", "O", "N", "Cl", "F", "S", "C#N",
          "C(=O)O", "C(=O)N", "OC", "c1ccccc1", "C1CC1", "N(C)C", "S(C)(=O)=O", "C=C")]  # fmt: skip
STRIDE = 1_103_317
"""Has no factor in common with the number of structures, so all come before one comes again."""
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    args = parse_args()
    if args.run:
        run(args.run, args.workers)
        return
    results = [measure(records, args.workers) for records in args.records]
    grown = results[-1]["main_peak_mb"] / results[0]["main_peak_mb"]
    print(json.dumps({"runs": results, "last_over_first": round(grown, 3)}, indent=1))


def measure(records: int, workers: int) -> dict[str, Any]:
    """One length, in a fresh session."""
    command = [sys.executable, __file__, "--run", str(records), "--workers", str(workers)]
    start, main_peak, all_peak = time.monotonic(), 0.0, 0.0
    with subprocess.Popen(command, start_new_session=True) as child:
        while child.poll() is None:
            sizes = session_sizes(child.pid)
            main_peak = max(main_peak, sizes.get(child.pid, 0.0))
            all_peak = max(all_peak, sum(sizes.values()))
            time.sleep(0.1)
    if child.returncode:
        raise SystemExit(f"the run over {records} records ended with {child.returncode}")
    seconds = time.monotonic() - start
    return {"records": records, "main_peak_mb": round(main_peak), "all_peak_mb": round(all_peak),
            "records_per_second": round(records / seconds, 1)}  # fmt: skip


def session_sizes(session: int) -> dict[int, float]:
    """Resident megabytes of each process of a session."""
    sizes = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                sizes[int(entry.name)] = int(fields[21]) * PAGE_MB
        except (OSError, ValueError, IndexError):  # no process, or one that has just gone
            continue
    return sizes


def run(records: int, workers: int) -> None:
    """Caption made-up structures."""
    from stub_runtime import use_stub

    from molcaption.caption import caption

    options = use_stub()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.smi"
        with source.open("w") as file:
            file.writelines(f"{structure(i)} {i}\n" for i in range(records))
        summary = caption([source], Path(folder) / "out.parquet", workers=workers, **options)
    assert summary.records == records, summary


def structure(number: int) -> str:
    """One of 1.7 million SMILES; short and long inputs hold molecules of the same sizes."""
    a, b, c = (GROUPS[number * STRIDE // len(GROUPS) ** digit % len(GROUPS)] for digit in range(3))
    return f"N({a})C({b})C({c})"


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--run", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Kill `caption` at random moments, start it again, and compare with a run that was left alone.

    python benchmarks/kill_resume.py LIBRARY.smi --limit 2000 --kills 25

Each round starts the command afresh, sends it SIGKILL at a random moment of its run, runs it again
to the end, compares all columns, and tells how many captions the second run had to write.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from molcaption.engine.summary import summary_path


def main() -> int:
    """Print one line a round and a summary; 0 if all rounds agree."""
    args = parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference.parquet"
        start = time.monotonic()
        subprocess.run(command(args, reference), check=True, capture_output=True)
        whole = time.monotonic() - start
        expected, made = pq.read_table(reference), written(reference)
        print(f"undisturbed: {whole:.1f} s, {made} captions", flush=True)
        equal = 0
        for number in range(args.kills):
            output = Path(folder) / f"{number}.parquet"
            moment = rng.uniform(0.02, 0.98) * whole
            # An output that is there is whole: the kill came while the process was going.
            killed = kill_after(command(args, output), moment) and not output.exists()
            subprocess.run(command(args, output), check=True, capture_output=True)
            same = pq.read_table(output).equals(expected)
            equal += same
            again = written(output)
            print(
                f"{number + 1}: {'killed' if killed else 'done'} after {moment:.1f} s, then "
                f"{again} captions written; {'equal' if same else 'DIFFERENT'}",
                flush=True,
            )
    print(f"{equal} of {args.kills} equal")
    return int(equal < args.kills)


def command(args: argparse.Namespace, output: Path) -> list[str]:
    """The captioning run."""
    options = ["--limit", str(args.limit), "-q"]
    options += ["--model", args.model] if args.model else []
    program = [sys.executable, "-m", "molcaption", "caption", str(args.library)]
    return [*program, "-o", str(output), *options]


def kill_after(arguments: list[str], seconds: float) -> bool:
    """Run and kill; False if the run was over before."""
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            return True
    return False


def written(output: Path) -> int:
    """Captions that the captioner wrote in the run that finished ``output``."""
    return int(json.loads(summary_path(output).read_text(encoding="utf-8"))["made"])


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", help="the one that ships by default")
    parser.add_argument("--limit", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

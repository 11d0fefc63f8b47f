"""Time of a decode step against what the machine could do at best.

    python benchmarks/decode_floor.py BUNDLE --batch-sizes 1 8 32 --length 150

A step reads every weight and every key and value once, and multiplies each weight once for each
row. So it takes at least as long as the bytes need at the machine's memory bandwidth (a matrix that
fits no cache, times a vector), and as long as the multiply-adds need at its best rate (two large
square matrices). Both are measured here, in float32, on the same threads; a bundle that multiplies
integers may take less than the second. Prints one JSON object.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    args = parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(args.threads)  # before numpy is imported

    bandwidth, rate = memory_bandwidth(args.repeats), multiply_rate(args.repeats)
    report = {
        "threads": args.threads,
        "gigabytes_per_second": round(bandwidth / 1e9, 2),
        "giga_multiply_adds_per_second": round(rate / 1e9, 2),
        "length": args.length,
        "steps": [step_report(args, size, bandwidth, rate) for size in args.batch_sizes],
    }
    json.dump(report, sys.stdout, indent=1)
    print()


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the quickest of several runs, after one that warms up."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def memory_bandwidth(repeats: int) -> float:
    """Bytes a second that a matrix of 512 MB, larger than any cache, is read with."""
    import numpy as np

    matrix = np.ones((2**14, 2**13), np.float32)
    vector = np.ones(2**13, np.float32)
    return matrix.nbytes / fastest(lambda: matrix @ vector, repeats)


def multiply_rate(repeats: int) -> float:
    """Multiply-adds a second of a product of two 2048 x 2048 matrices."""
    import numpy as np

    side = 2048
    matrix = np.ones((side, side), np.float32)
    return side**3 / fastest(lambda: matrix @ matrix, repeats)


def step_report(
    args: argparse.Namespace, rows: int, bandwidth: float, rate: float
) -> dict[str, Any]:
    """One batch size: measured milliseconds, both floors, and how far above the larger we are."""
    import numpy as np

    from molcaption.engine import bundle
    from molcaption.engine.packed import round_columns, unpack
    from molcaption.engine.runtimes.session import DecoderSession

    directory = Path(args.bundle)
    manifest = bundle.load_manifest(directory)
    shape = manifest.decoder
    weights = round_columns(unpack(directory / f"{bundle.DECODER}.npz"), shape.integers)
    decoder = DecoderSession(directory, shape, args.threads, manifest.target)
    decoder.allocate(rows, args.length)
    random = np.random.default_rng(0)
    prompts = random.normal(0, 0.02, (rows, args.length - 1, shape.width)).astype(np.float32)
    decoder.prefill(0, prompts, np.full(rows, args.length - 1))
    # The same position again and again: a step of constant length.
    embeds, lengths = prompts[:, 0].copy(), np.full(rows, args.length)
    seconds = fastest(lambda: decoder.step(embeds, lengths), args.repeats * 10)

    matrices = [array for array in weights.values() if array.ndim == 2]
    read = sum(matrix.nbytes for matrix in matrices)
    read += 4 * rows * args.length * shape.layers * 2 * shape.kv_heads * shape.head_dim
    multiplied = rows * sum(matrix.size for matrix in matrices)
    floors = {"read": read / bandwidth, "multiply": multiplied / rate}
    return {
        "rows": rows,
        "step_ms": round(1e3 * seconds, 3),
        **{f"{name}_floor_ms": round(1e3 * floor, 3) for name, floor in floors.items()},
        "times_the_larger_floor": round(seconds / max(floors.values()), 2),
    }


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--length", type=int, default=150, help="positions of each row")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=10)
    return parser.parse_args()


if __name__ == "__main__":
    main()

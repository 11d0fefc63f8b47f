"""Kill captioning actors of a Ray run and compare what it writes with a run without Ray.

    python benchmarks/ray_kill.py LIBRARY.sdf --limit 300 --cpus 2 --kills 1

Starts a Ray cluster on this machine and captions with it in parts of `--part` records. Each time
that another share of the parts is written, the process of a working actor gets SIGKILL. At the end
all columns are compared with those of the same run on one machine, and the captions are counted
that the actors made: those beyond the number of structures were made twice.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import pyarrow.parquet as pq
import ray

from molcaption.caption import caption

_TITLE, _WORKING = b"ray::", b"_Captioner)).submit"
"""Begin the name of a process of Ray's, and stand in that of an actor while it has a window."""


def main() -> int:
    """Print what was seen as JSON; 0 if all rows are there once, and equal."""
    args = parse_args()
    options = {"model": args.model, "limit": args.limit, "window": args.part}
    # Ray prints of dead processes.
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        alone, parts = Path(folder) / "alone.parquet", Path(folder) / "parts"
        local = caption([args.library], alone, **options)
        ray.init(num_cpus=args.cpus, include_dashboard=False, log_to_driver=False)
        with killing(parts, args.kills, -(-local.records // args.part)) as killed:
            summary = caption([args.library], f"{parts}/", engine="ray", **options)
        ray.shutdown()
        expected, got = pq.read_table(alone), pq.read_table(parts)
        records = got.column("record").to_pylist()
        told = {
            "records": local.records,
            "parts": len(list(parts.glob("*.parquet"))),
            "killed": killed,
            "each_record_once": sorted(records) == list(range(local.records)),
            "in_order": records == sorted(records),
            "equal": got.equals(expected),
            "captions_made": {"local": local.made, "ray": summary.made},
            "seconds": {"local": round(local.seconds, 1), "ray": round(summary.seconds, 1)},
        }
    print(json.dumps(told))
    return int(not (told["equal"] and told["each_record_once"] and len(killed) == args.kills))


class killing:
    """While the block runs, kill an actor whenever another share of ``n`` parts is written.

    Its value lists what was killed, as ``{"pid": …, "parts_written": …}``.
    """

    def __init__(self, folder: Path, kills: int, n: int) -> None:
        self._folder, self._n = folder, n
        self._moments = [n * (1 + number) // (kills + 1) for number in range(kills)]
        self._killed: list[dict[str, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> list[dict[str, int]]:
        self._thread.start()
        return self._killed

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        for moment in self._moments:
            while self._written() < moment and not self._over.is_set():
                time.sleep(0.05)
            while not (pids := list(actors())) and not self._over.is_set():
                time.sleep(0.05)
            if pids:
                os.kill(pids[0], signal.SIGKILL)
                self._killed.append({"pid": pids[0], "parts_written": self._written()})

    def _written(self) -> int:
        return len(list(self._folder.glob("part-*.parquet")))


def actors() -> Iterator[int]:
    """Descendants of this process in which an actor is captioning."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has gone
            names[int(folder.name)] = (folder / "cmdline").read_bytes()
            # behind the program's name, which may hold anything: its state, then its parent
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(stat[1])
    for pid, name in names.items():
        above = parents.get(pid)
        while above is not None and above != os.getpid():
            above = parents.get(above)
        if above is not None and name.startswith(_TITLE) and _WORKING in name:
            yield pid


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", help="the one that ships by default")
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--part", type=int, default=16, help="records of a part")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--kills", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Mutated SDF, SMILES and Parquet files, and hostile ones: a row a record or one clear error each.

    python benchmarks/fuzz_inputs.py -n 2000 --seed 0

Every file goes through the whole of `caption` with a stub in place of the captioner. It fails if
anything but a `MolcaptionError` of one line comes out, if rows are missing, if the output does not
read back, or if it takes longer than 30 seconds a record. Files that fail are kept under
``--keep``. Writes one JSON object; exit code 1 if any failed.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hostile_inputs import write_hostile_files
from stub_runtime import use_stub

from molcaption.caption import caption
from molcaption.errors import MolcaptionError

ROOT = Path(__file__).parents[1]
SECONDS_A_RECORD = 30.0
FORMS = ("parquet", "sdf", "csv", "jsonl")
SMILES = ["CCO", "C[C@H](N)C(=O)O", "c1ccc2[nH]ccc2c1", "[Na+].[Cl-]", "F/C=C/F", "[13CH4]",
          "O=C(O)c1ccccc1OC(C)=O", "CN1CCC[C@H]1c1cccnc1", "C1CC1", "*CC |$R1;;$|"]  # fmt: skip


def main() -> int:
    args = parse_args()
    rng = random.Random(args.seed)
    options = use_stub()
    ends: Counter[str] = Counter()
    failures: list[str] = []

    def judge(path: Path, output: Path) -> None:
        chosen = {"workers": args.workers, "molecule_timeout": args.molecule_timeout}
        end, fault = outcome(path, output, options | chosen)
        ends[end] += 1
        if fault:
            failures.append(f"{path.name}: {fault}")
            print(failures[-1], file=sys.stderr)
            args.keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, args.keep / f"{len(failures)}-{path.name}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = seed_files(folder)
        for number in range(args.n):
            suffix = rng.choice(list(seeds))
            path = folder / f"{number}{suffix}"
            path.write_bytes(mutated(seeds[suffix], rng))
            judge(path, folder / f"{number}.out.jsonl")
            path.unlink()
        if not args.no_hostile:
            for number, path in enumerate(write_hostile_files(folder / "hostile files")):
                judge(path, folder / f"hostile {number}.{FORMS[number % len(FORMS)]}")
    report = {"files": sum(ends.values()), "ends": dict(ends.most_common()), "failed": failures}
    print(json.dumps(report, indent=1))
    return int(bool(failures))


def outcome(path: Path, output: Path, options: dict[str, object]) -> tuple[str, str]:
    """How `caption` ended on a file, and what was wrong with that, if anything."""
    start, end, fault, records = time.monotonic(), "rows", "", 1
    try:
        records = caption([path], output, **options).records
        written = rows_in(output)
        if written is not None and written != records:
            fault = f"{records} records, {written} rows"
    except MolcaptionError as error:
        end = type(error).__name__
        if "\n" in str(error):
            fault = f"an error of several lines: {error}"
    except Exception as error:  # noqa: BLE001  what the fuzzer is there to find
        end, fault = "crash", f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - start
    if seconds > SECONDS_A_RECORD * max(records, 1):
        fault = f"{seconds:.0f} s for {records} records"
    return end, fault


def rows_in(output: Path) -> int | None:
    """Rows of an output, read by other means than ours; None for formats that need ours."""
    if output.suffix == ".parquet":
        return int(pq.read_table(output).num_rows)
    if output.suffix == ".jsonl":
        lines = output.read_bytes().split(b"\n")[:-1]
        return sum(isinstance(json.loads(line), dict) for line in lines)
    if output.suffix == ".sdf":
        return sum(line.startswith(b"$$$$") for line in output.read_bytes().split(b"\n"))
    return None


def seed_files(folder: Path) -> dict[str, bytes]:
    """Suffix to a sound file of that format."""
    table = pa.table({"id": [str(i) for i in range(len(SMILES))], "smiles": SMILES})
    pq.write_table(table, folder / "seed.parquet")
    drugs = (ROOT / "examples" / "drugs.sdf").read_bytes().split(b"$$$$\n")[:4]
    return {
        ".sdf": b"$$$$\n".join([*drugs, b""]),
        ".smi": "".join(f"{smiles} name {i}\n" for i, smiles in enumerate(SMILES)).encode(),
        ".parquet": (folder / "seed.parquet").read_bytes(),
    }


def mutated(content: bytes, rng: random.Random) -> bytes:
    """One to eight mutations."""
    for _ in range(rng.randint(1, 8)):
        content = rng.choice(MUTATIONS)(content, rng) or content
    return content


def _flip(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([rng.randrange(256)]) + content[place + 1 :]


def _insert(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    new = rng.choice([b"\0", b"\n", b"\r", b"$$$$\n", b"M  END\n", b"(", b"[", b"%", b'"', b"999",
                      b">  <\n", b"\xff\xfe", b"C" * 300, "é".encode(), b"-1", b"."])  # fmt: skip
    return content[:place] + new + content[place:]


def _delete(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + content[place + rng.randint(1, 40) :]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    place, length = rng.randrange(len(content)), rng.randint(1, 200)
    return (
        content[: place + length]
        + content[place : place + length] * rng.randint(1, 5)
        + (content[place + length :])
    )


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(1, len(content) + 1)]


def _swap_lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    _flip, _insert, _delete, _repeat, _cut, _swap_lines,
]  # fmt: skip


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--molecule-timeout", type=float, help="as of `caption`")
    parser.add_argument("--no-hostile", action="store_true", help="mutated files only")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

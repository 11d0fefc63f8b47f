"""Does a caption depend on its batch? The share of captions that change with batch and neighbours.

    python benchmarks/batch_invariance.py BUNDLE FILE -n 500 --batch-sizes 1 7 64

The molecules are captioned in the order of the file, then shuffled anew for every batch size. Text
and confidence have to be equal to the bit. Prints one JSON object.
"""

import argparse
import json
import random
import sys

from molcaption.chem.molecule import Molecule
from molcaption.claims import load_lexicon
from molcaption.data.readers import read_molecules
from molcaption.engine.questions import questions
from molcaption.engine.runtimes import load_runtime


def main() -> None:
    args = parse_args()
    runtime = load_runtime(args.bundle)
    records = read_molecules([args.input], limit=args.n)
    smiles = [record.smiles for record in records if isinstance(record, Molecule)]
    asked = questions(smiles, runtime.vocabulary, load_lexicon())
    expected = runtime.generate(asked)
    report: dict[str, float] = {"molecules": len(asked)}
    for size in args.batch_sizes:
        order = random.Random(size).sample(range(len(asked)), len(asked))
        made = runtime.generate([asked[i] for i in order], batch_size=size)
        equal = sum(one == expected[i] for i, one in zip(order, made, strict=True))
        report[f"equal in batches of {size}"] = equal / len(asked)
    json.dump(report, sys.stdout, indent=1)
    print()


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", help="bundle or merged model directory")
    parser.add_argument("input", help="compound file")
    parser.add_argument("-n", type=int, default=500, help="first N records")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 7, 64])
    return parser.parse_args()


if __name__ == "__main__":
    main()

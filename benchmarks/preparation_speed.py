"""Records a second and core of all that `caption` does beside decoding, station by station.

    python benchmarks/preparation_speed.py LIBRARY --limit 1000

In one process, with the functions that the workers run: parsing, the graph, the features (which
only some captioners read), choosing and mending one candidate, and the check of its claims with the
InChIKey. The captions are those of a file of captions in turn, so that they are as rich as real
ones. CPU time, so other work on the machine hardly matters. Writes one JSON object.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from molcaption.chem.graph import featurise
from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon, settle
from molcaption.data.features import FeatureVocabulary, features_of
from molcaption.data.readers import read_molecules, read_records
from molcaption.data.readers.raw import parse_payload
from molcaption.engine.captioning import decide
from molcaption.engine.rows import judge
from molcaption.engine.runtimes import Generation
from molcaption.shipped import model_path


def main() -> None:
    args = parse_args()
    lexicon = settle(load_lexicon())
    lexicon.screen.prepare()  # as workers find it
    texts = [r.description or "" for r in read_molecules([args.captions], limit=args.limit)
             if hasattr(r, "description")]  # fmt: skip
    contents = [(raw.kind, raw.payload) for raw in read_records([args.library], limit=args.limit)]
    seconds, made = timed(parse_payload, contents)
    stations = {"parse": seconds}
    sound = [parsed for parsed in made if not isinstance(parsed, str)]
    smiles, captions = [s for _, s in sound], list(islice(cycle(texts), len(sound)))
    stations["graph"], _ = timed(lambda s: featurise(parse_smiles(s)), smiles)
    known = FeatureVocabulary.load(model_path(args.model))
    stations["features"], _ = timed(lambda s: features_of([s], lexicon, known), smiles)
    asked = [
        (s, [Generation(text, 0.5, True)], ()) for s, text in zip(smiles, captions, strict=True)
    ]
    stations["choose and mend"], _ = timed(lambda q: decide(q, lexicon, mended=True), asked)
    pairs = [(mol, text) for (mol, _), text in zip(sound, captions, strict=True)]
    stations["claims and InChIKey"], _ = timed(lambda pair: judge(pair, lexicon), pairs)
    total = sum(stations.values())
    aimed = stations["parse"] + stations["graph"] + stations["claims and InChIKey"]
    report = {
        "records": len(sound),
        "milliseconds": {name: round(1000 * s / len(sound), 3) for name, s in stations.items()},
        "records_per_second_and_core": {
            "parse, graph, claims": round(len(sound) / aimed),
            "all but features": round(len(sound) / (total - stations["features"])),
            "all": round(len(sound) / total),
        },
    }
    print(json.dumps(report, indent=1))


def timed(function: Callable[[Any], Any], items: Sequence[Any]) -> tuple[float, list[Any]]:
    """CPU seconds over all items, and the results."""
    start = time.process_time()
    results = [function(item) for item in items]
    return time.process_time() - start, results


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--captions", type=Path, default=Path("examples/references.tsv"))
    parser.add_argument("--model", help="whose features; the one that ships by default")
    parser.add_argument("--limit", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""How well the claims engine tells true captions from false ones: one Markdown table.

    python benchmarks/claims_quality.py CAPTIONS.tsv [MORE.tsv …] [--style chebi20] [--seed 0]
        [--alarms FILE] [--misses FILE] [--unknown FILE] [--neighbours FILE]
    python benchmarks/claims_quality.py --predictions PREDICTIONS.tsv.gz

Gold captions on their own molecules should raise no flag; captions on another molecule (a random
one, the nearest of the file) and captions with one false word (`caption_edits.py`) should raise
one. Every share is over all captions of the files, those whose SMILES does not parse included.
"""

import argparse
import csv
import gzip
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import process_time
from typing import Any

from caption_edits import KINDS, Edit, class_mentions, corruptions
from molecule_truth import Truth
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molcaption.chem.molecule import InvalidMolecule, canonical_smiles, parse_smiles
from molcaption.claims import CaptionCheck, Lexicon, check_caption, load_lexicon, settle

WARM_UP = 200
NOT_TESTED = ("unknown_term", "out_of_scope")
Row = tuple[str, str]  # what it is, its value


@dataclass
class Sample:
    """One caption with its molecule and the engine's word on the pair."""

    smiles: str
    caption: str
    mol: Chem.Mol | None
    canonical: str
    check: CaptionCheck


def main() -> None:
    """Print the table and write the lists asked for."""
    args = _arguments()
    lexicon = settle(load_lexicon(args.lexicon))  # as the verbs do
    texts = [pair for path in args.files for pair in _read(path, args)]
    samples, speed = _judged(texts, lexicon)
    if args.predictions:
        rows = [
            *_size(samples),
            _share("flagged", sum(flagged(s.check) for s in samples), len(samples)),
        ]
        rows += [*_checkable(samples), *_validity(samples)]
    else:
        rng = random.Random(args.seed)
        rows = [*_size(samples), *_gold(samples, args.alarms), *_mentions(samples, args.unknown)]
        rows += [*_checkable(samples), *_swaps(samples, lexicon, rng, args.neighbours)]
        rows += [*_corrupted(samples, lexicon, rng, args.misses), *_common(samples, lexicon), speed]
    print(f"| {', '.join(path.name for path in args.files)} | |")
    print("|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="TSV with a header, .gz or not")
    parser.add_argument("--smiles-column", help="default: smiles or SMILES")
    parser.add_argument("--caption-column", help="default: description; output of predictions")
    parser.add_argument("--style", help="only rows of this style, where the file has styles")
    parser.add_argument("--lexicon", type=Path, help="of your own; default: the engine's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--predictions", action="store_true", help="model output: fewer rows")
    parser.add_argument("--alarms", type=Path, help="write every refuted claim of a gold caption")
    parser.add_argument("--misses", type=Path, help="write every single edit that passed")
    parser.add_argument("--unknown", type=Path, help="write the classes without a test, counted")
    parser.add_argument("--neighbours", type=Path, help="write the neighbour swaps that passed")
    return parser.parse_args()


def _read(path: Path, args: argparse.Namespace) -> list[tuple[str, str]]:
    """SMILES and captions of one file."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = list(rows[0]) if rows else []
    smiles = args.smiles_column or ("smiles" if "smiles" in columns else "SMILES")
    caption = args.caption_column or ("description" if "description" in columns else "output")
    if args.style and "style" in columns:
        rows = [row for row in rows if row["style"] == args.style]
    return [(row[smiles] or "", row[caption] or "") for row in rows]


def _judged(texts: Sequence[Row], lexicon: Lexicon) -> tuple[list[Sample], Row]:
    """Every caption checked on its own molecule, and how fast that went."""
    speed = _speed(texts, lexicon)
    samples = []
    for smiles, caption in texts:
        mol = _parsed(smiles)
        canonical = canonical_smiles(mol) if mol else ""
        samples.append(
            Sample(smiles, caption, mol, canonical, check_caption(mol, caption, lexicon))
        )
    return samples, speed


def _speed(texts: Sequence[Row], lexicon: Lexicon) -> Row:
    """Captions per second as in a stream: nothing is kept, only the first were seen before."""
    for smiles, caption in texts[:WARM_UP]:
        check_caption(_parsed(smiles), caption, lexicon)
    parsing = checking = 0.0
    for smiles, caption in texts:
        start = process_time()
        mol = _parsed(smiles)
        parsed = process_time()
        check_caption(mol, caption, lexicon)
        checking += process_time() - parsed
        parsing += parsed - start
    both, alone = len(texts) / (parsing + checking), len(texts) / checking
    return "captions per second of one core, with parsing / without", f"{both:.0f} / {alone:.0f}"


def _parsed(smiles: str) -> Chem.Mol | None:
    try:
        return parse_smiles(smiles)
    except InvalidMolecule:
        return None


def flagged(check: CaptionCheck) -> bool:
    """The engine refutes something."""
    return check.validity_status == "contradicted"


def _size(samples: Sequence[Sample]) -> list[Row]:
    failed = sum(sample.mol is None for sample in samples)
    return [("captions", str(len(samples))), ("molecule fails", str(failed))]


def _share(name: str, part: int, whole: int) -> Row:
    return name, f"{part / whole:.2%} ({part} of {whole})" if whole else "none"


def _claims(sample: Sample, *verdicts: str) -> list[Any]:
    return [claim for claim in sample.check.claims if claim["verdict"] in verdicts]


def _gold(samples: Sequence[Sample], path: Path | None) -> list[Row]:
    """False alarms: by claim and by caption."""
    alarms = [(s, claim) for s in samples for claim in _claims(s, "contradicted")]
    checked = sum(len(_claims(s, "supported", "contradicted")) for s in samples)
    keys = ("concept", "text", "expected", "found")
    cells = ((s.smiles, *(claim[key] for key in keys), s.caption) for s, claim in alarms)
    _write(path, ("smiles", *keys, "caption"), cells)
    return [
        ("checked claims on gold", str(checked)),
        _share("false alarms per checked claim", len(alarms), checked),
        _share("gold captions flagged", sum(flagged(s.check) for s in samples), len(samples)),
    ]


def _mentions(samples: Sequence[Sample], path: Path | None) -> list[Row]:
    """Class mentions on which at least one claim is judged by a test."""
    tested, untested = 0, Counter[str]()
    for sample in samples:
        judged = [c for c in sample.check.claims if c["reason"] not in NOT_TESTED]
        for start, end in class_mentions(sample.caption):
            if any(_overlaps(claim, start, end) for claim in judged):
                tested += 1
            else:
                untested[sample.caption[start:end]] += 1
    _write(path, ("class", "count"), untested.most_common())
    total = tested + untested.total()
    return [_share("class mentions with a structural test", tested, total)]


def _overlaps(claim: Any, start: int, end: int) -> bool:
    return claim["start"] < end and start < claim["end"]


def _checkable(samples: Sequence[Sample]) -> list[Row]:
    counts = [sample.check.n_checkable for sample in samples]
    some = sum(count > 0 for count in counts)
    return [
        _share("captions with a checkable claim", some, len(samples)),
        ("checkable claims per caption", f"{fmean(counts):.2f}"),
    ]


def _validity(samples: Sequence[Sample]) -> list[Row]:
    scores = [s.check.validity_score for s in samples if s.check.validity_score is not None]
    bits = [s.check.validity_bits for s in samples if s.check.validity_bits is not None]
    return [
        ("mean validity score, where there is one", f"{fmean(scores):.3f}" if scores else "none"),
        ("mean validity bits, where there are any", f"{fmean(bits):.2f}" if bits else "none"),
    ]


def _swaps(
    samples: Sequence[Sample], lexicon: Lexicon, rng: random.Random, path: Path | None
) -> list[Row]:
    """Captions on a random other molecule and on the nearest other one."""
    swapped = _deranged(samples, rng)
    random_hits = sum(
        flagged(check_caption(samples[j].mol, samples[i].caption, lexicon))
        for i, j in enumerate(swapped)
        if j is not None
    )
    hits, passed = 0, []
    for sample, nearest in zip(samples, _nearest(samples), strict=True):
        if nearest is None:
            continue
        hit = flagged(check_caption(nearest.mol, sample.caption, lexicon))
        hits += hit
        if not hit:
            passed.append((nearest.smiles, sample.caption))
    _write(path, ("smiles", "caption"), passed)
    return [
        _share("flagged after a random swap", random_hits, len(samples)),
        _share("flagged after a nearest-neighbour swap", hits, len(samples)),
    ]


def _deranged(samples: Sequence[Sample], rng: random.Random) -> list[int | None]:
    """For every caption another molecule; None where no molecule of the file is another."""
    order = list(range(len(samples)))
    rng.shuffle(order)
    names = [sample.canonical or f"no molecule {i}" for i, sample in enumerate(samples)]
    for i in range(len(order)):
        if names[order[i]] == names[i]:
            mates = (
                k for k in rng.sample(range(len(order)), len(order))
                if names[order[k]] != names[i] and names[order[i]] != names[k]
            )  # fmt: skip
            k = next(mates, i)
            order[i], order[k] = order[k], order[i]
    return [j if names[j] != names[i] else None for i, j in enumerate(order)]


def _nearest(samples: Sequence[Sample]) -> list[Sample | None]:
    """The sample whose molecule is most similar to, and not the same as, each one's."""
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    known = [sample for sample in samples if sample.mol is not None]
    prints = [morgan.GetFingerprint(sample.mol) for sample in known]
    place = {id(sample): i for i, sample in enumerate(known)}
    found: list[Sample | None] = []
    for sample in samples:
        if sample.mol is None:
            found.append(None)
            continue
        alike = DataStructs.BulkTanimotoSimilarity(prints[place[id(sample)]], prints)
        others = [i for i, other in enumerate(known) if other.canonical != sample.canonical]
        found.append(known[max(others, key=alike.__getitem__)] if others else None)
    return found


def _corrupted(
    samples: Sequence[Sample], lexicon: Lexicon, rng: random.Random, path: Path | None
) -> list[Row]:
    """Single edits: how many of each kind the engine sees."""
    seen: dict[str, list[bool]] = defaultdict(list)
    missed = []
    for sample in samples:
        if sample.mol is None:
            continue
        for edit in corruptions(sample.caption, Truth(sample.mol), rng):
            seen[edit.kind].append(_detected(sample, edit, lexicon))
            if not seen[edit.kind][-1]:
                new = edit.caption[edit.start : edit.end]
                missed.append((edit.kind, sample.smiles, edit.old, new, edit.caption))
    _write(path, ("type", "smiles", "old", "new", "caption"), missed)
    rows = [_share(f"edit seen: {kind}", sum(seen[kind]), len(seen[kind])) for kind in KINDS]
    shares = {kind: fmean(hits) for kind, hits in seen.items() if hits}
    if shares:
        least = min(shares, key=shares.__getitem__)
        rows.append(("edits seen, mean of the types", f"{fmean(shares.values()):.2%}"))
        rows.append(("edits seen, the worst type", f"{shares[least]:.2%} ({least})"))
    return rows


def _detected(sample: Sample, edit: Edit, lexicon: Lexicon) -> bool:
    """The corrupted caption is flagged, and because of the edit."""
    check = check_caption(sample.mol, edit.caption, lexicon)
    refuted = [claim for claim in check.claims if claim["verdict"] == "contradicted"]
    there = any(_overlaps(claim, edit.start, edit.end) for claim in refuted)
    return flagged(check) and (there or not flagged(sample.check))


def _common(samples: Sequence[Sample], lexicon: Lexicon) -> list[Row]:
    """Checked claims that are true of most molecules anyway."""
    claims = [claim for s in samples for claim in _claims(s, "supported", "contradicted")]
    common = sum(lexicon.base_rate(claim["concept"], _times(claim)) > 0.5 for claim in claims)
    return [_share("checked claims on a concept with base rate over 0.5", common, len(claims))]


def _times(claim: Any) -> int:
    """How often the claim says that its concept occurs."""
    return int(claim["expected"]) if claim["expected"].isdecimal() else 1


def _write(path: Path | None, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    if path is not None:
        lines = (
            "\t".join(re.sub(r"\s", " ", str(cell)) for cell in row) for row in [header, *rows]
        )
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

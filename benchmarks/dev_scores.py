"""Are the captions about the molecule? A captioner against three baselines and wrong inputs.

    python benchmarks/dev_scores.py exports/mini TRAIN.tsv DEV.tsv --tokenizer VOCAB.txt

The baselines are `molcaption baseline`'s: one constant caption, a random one, the nearest
neighbour's (training rows of one style). The captioner is asked alone, with TRAIN as its memory,
and with wrong inputs: every molecule's graph, its features, its SMILES, or all of these, replaced
by those of another molecule of the file.

Beside the scores: the share of checkable claims that the structure supports, the share of captions
without a refuted claim, the share of captions with a word that TRAIN does not have (names of new
molecules, or words that are none), and captions a second (decoding and choosing, without features).
"""

import argparse
import csv
import random
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rdkit import Chem

from molcaption.baseline import baseline
from molcaption.chem.molecule import canonical_smiles, parse_smiles
from molcaption.claims import Lexicon, check_caption, load_lexicon, settle
from molcaption.data.features import features_of
from molcaption.data.memory import Neighbour
from molcaption.data.memory_file import load_memory
from molcaption.data.pairs import read_pairs
from molcaption.engine.choice import NEIGHBOURS, choose
from molcaption.engine.mend import mend
from molcaption.engine.questions import Question, questions
from molcaption.engine.runtimes import GREEDY, Beams, Generation, Runtime, load_runtime
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import load_wordnet

Decide = Callable[[Sequence[Generation], Sequence[Neighbour], Chem.Mol, Lexicon], Generation]
METRICS = ("bleu2", "bleu4", "meteor", "rougeL")
BASELINES = {
    "one caption for all": "constant",
    "a random training caption": "random",
    "the nearest neighbour's caption": "nearest",
    "the same, by profile": "profile",
}


@dataclass(frozen=True)
class Captions:
    """What a system wrote, and how long it took."""

    texts: list[str]
    seconds: float = 0.0


def main() -> None:
    """Print one Markdown table."""
    args = parse_args()
    smiles, references = read_dev(args.dev, args.limit)
    settle(load_lexicon())
    runtime = load_runtime(args.bundle)
    if args.no_repeat_ngram:
        systems = repeat_rules(args.bundle, smiles, args.no_repeat_ngram)
    elif args.beams:
        systems = beam_searches(runtime, smiles, args.beams, args.length_penalty)
    else:
        systems = baselines(args.train, smiles, args.style) if not args.draws else {}
        systems |= captioner(runtime, smiles, args.train, args.style, args.draws or [runtime.draws])
        systems |= wrong_inputs(runtime, smiles) if not args.draws else {}
    columns = (*METRICS, "precision", "not refuted", "new words", "captions/s")
    print(f"| {args.dev.name}, {len(smiles)} molecules | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    known = set().union(*(words(pair.description) for pair in read_pairs(args.train)))
    for name, made in systems.items():
        cells = [*scores(made.texts, references, METRICS, args), *truth(smiles, made.texts)]
        cells.append(f"{sum(not words(text) <= known for text in made.texts) / len(smiles):.1%}")
        cells.append(f"{len(smiles) / made.seconds:.1f}" if made.seconds else "")
        print(f"| {name} | " + " | ".join(cells) + " |")


def words(text: str) -> set[str]:
    """The words of a text, in lower case, and the parts of its chemical names."""
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def read_dev(path: Path, limit: int | None) -> tuple[list[str], list[str]]:
    """Canonical SMILES and descriptions of the first ``limit`` rows."""
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[:limit]
    smiles = [canonical_smiles(parse_smiles(row["smiles"])) for row in rows]
    return smiles, [row["description"] for row in rows]


def scores(
    captions: Sequence[str],
    references: Sequence[str],
    metrics: Sequence[str],
    args: argparse.Namespace,
) -> list[str]:
    """Cells of a table; ``args`` names tokenizer and WordNet."""
    corpus = Corpus(
        captions, references, load_tokenizer(args.tokenizer), load_wordnet(args.wordnet)
    )
    return [f"{compute(metric, corpus).value:.3f}" for metric in metrics]


def baselines(train: Path, smiles: Sequence[str], styles: Sequence[str]) -> dict[str, Captions]:
    """Captions copied from ``train``."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        molecules = Path(folder) / "molecules.tsv"
        lines = ["id\tsmiles", *(f"{i}\t{text}" for i, text in enumerate(smiles))]
        molecules.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name, kind in BASELINES.items():
            output = Path(folder) / f"{kind}.tsv"
            baseline(train, molecules, output, kind=kind, styles=styles)
            with output.open(encoding="utf-8") as table:
                texts = [row["caption"] for row in csv.DictReader(table, delimiter="\t")]
            made[name] = Captions(texts)
    return made


def captioner(
    runtime: Runtime,
    smiles: Sequence[str],
    train: Path,
    styles: Sequence[str],
    draws: Sequence[int],
) -> dict[str, Captions]:
    """The captioner alone and with a memory, greedy and with drawn captions, chosen and mended."""
    lexicon = load_lexicon()
    found = features_of(smiles, lexicon)
    memory = load_memory(train, lexicon, styles)
    near = [memory.neighbours(features, NEIGHBOURS) for features in found]
    asked = questions(smiles, runtime.vocabulary, lexicon, found)
    made = {}
    for count in sorted({0, *draws}):
        start = time.monotonic()
        candidates = runtime.candidates(asked, draws=count)
        decoding = time.monotonic() - start
        for label, neighbours in (("", None), (" with memory", near)):
            name = f"the captioner{label}" + (f", best of 1 + {count}" if count else "")
            for mended, decide in (("", choose), (", mended", mend)):
                start = time.monotonic()
                texts = decided(decide, smiles, candidates, neighbours)
                made[name + mended] = Captions(texts, decoding + time.monotonic() - start)
    return made


def wrong_inputs(runtime: Runtime, smiles: Sequence[str]) -> dict[str, Captions]:
    """Captions, greedy, where parts of the input are another molecule's."""
    asked = questions(smiles, runtime.vocabulary, load_lexicon())
    ring = random.Random(0).sample(range(len(asked)), len(asked))
    after = dict(zip(ring, ring[1:] + ring[:1], strict=True))  # nobody keeps its own
    others = [asked[after[i]] for i in range(len(asked))]
    pairs = list(zip(asked, others, strict=True))
    swaps: dict[str, list[Question]] = {
        "graph": [(replace(own, graph=other.graph), text) for (own, text), (other, _) in pairs],
        "features": [
            (replace(own, features=other.features), text) for (own, text), (other, _) in pairs
        ],
        "SMILES": [(own, text) for (own, _), (_, text) in pairs],
        "graph, features and SMILES": others,
    }
    return {
        f"with another molecule's {what}": greedy(runtime, swapped)
        for what, swapped in swaps.items()
    }


def repeat_rules(bundle: Path, smiles: Sequence[str], rules: Sequence[int]) -> dict[str, Captions]:
    """The bundle's captions under other repeat rules than its own."""
    runtime = OnnxRuntime.load(bundle)
    asked = questions(smiles, runtime.vocabulary, load_lexicon())
    made = {}
    for n in rules:
        runtime.manifest = replace(runtime.manifest, no_repeat_ngram=n)
        name = f"no run of {n} tokens twice" if n else "no repeat rule"
        made[name] = greedy(runtime, asked)
    return made


def beam_searches(
    runtime: Runtime, smiles: Sequence[str], widths: Sequence[int], length_penalty: float
) -> dict[str, Captions]:
    """The captioner's first caption, greedy and by beam search, as it is."""
    asked = questions(smiles, runtime.vocabulary, load_lexicon())
    made = {"greedy": greedy(runtime, asked)}
    for width in widths:
        made[f"{width} beams"] = greedy(runtime, asked, Beams(width, length_penalty))
    return made


def greedy(runtime: Runtime, asked: Sequence[Question], beams: Beams = GREEDY) -> Captions:
    """The captioner's own words, and how long they took."""
    start = time.monotonic()
    made = runtime.generate(asked, beams=beams)
    return Captions([own.text for own in made], time.monotonic() - start)


def decided(
    decide: Decide,
    smiles: Sequence[str],
    made: Sequence[Sequence[Generation]],
    near: Sequence[Sequence[Neighbour]] | None,
) -> list[str]:
    """Captions out of each molecule's candidates and, with a memory, its neighbours' captions."""
    lexicon, known = load_lexicon(), near or [()] * len(smiles)
    return [
        decide(candidates, others, parse_smiles(text), lexicon).text
        for text, others, candidates in zip(smiles, known, made, strict=True)
    ]


def truth(smiles: Sequence[str], captions: Sequence[str]) -> list[str]:
    """Share of checkable claims that are supported, share of captions without a refuted one."""
    checks = [
        check_caption(parse_smiles(text), caption, load_lexicon())
        for text, caption in zip(smiles, captions, strict=True)
    ]
    checkable = sum(check.n_checkable for check in checks)
    supported = sum(check.n_supported for check in checks)
    clean = sum(not check.n_contradicted for check in checks)
    return [f"{supported / checkable:.3f}", f"{clean / len(checks):.1%}"]


def add_data(parser: argparse.ArgumentParser) -> None:
    """What is measured, on what and by what."""
    parser.add_argument("bundle", type=Path, help="bundle or merged model directory")
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tokenizer", default="word")
    parser.add_argument("--wordnet", help="folder of WordNet; METEOR does without by default")
    parser.add_argument("--style", nargs="+", default=["chebi20"], help="of rows to copy from")


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument(
        "--draws", type=int, nargs="+", metavar="N",
        help="compare these numbers of drawn captions, and nothing else",
    )  # fmt: skip
    parser.add_argument(
        "--no-repeat-ngram", type=int, nargs="+", metavar="N",
        help="compare these repeat rules of the bundle, and nothing else",
    )  # fmt: skip
    parser.add_argument(
        "--beams", type=int, nargs="+", metavar="N",
        help="compare beam searches so wide with the greedy one, and nothing else",
    )  # fmt: skip
    parser.add_argument("--length-penalty", type=float, default=1.0, help="of the beam searches")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""How captions are chosen among candidates: temperature, reward and penalty, measured on dev.

    python benchmarks/choice_sweep.py exports/mini TRAIN.tsv DEV.tsv --tokenizer VOCAB.txt

For each temperature the captioner draws once; then every pair of reward (a supported claim) and
penalty (a refuted one) chooses among these candidates, alone and with TRAIN as memory.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from molcaption.chem.molecule import canonical_smiles, parse_smiles
from molcaption.claims import check_caption, load_lexicon, settle
from molcaption.data.features import features_of
from molcaption.data.memory import Neighbour
from molcaption.data.memory_file import load_memory
from molcaption.engine import choice, draws
from molcaption.engine.questions import questions
from molcaption.engine.runtimes import Generation, load_runtime
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import load_wordnet

PAIRS = ((0.0, 0.0), (0.03, 0.045), (0.03, 0.1), (0.03, 0.2), (0.0, 0.1))


def main() -> None:
    """Print one Markdown table."""
    args = parse_args()
    with args.dev.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[: args.limit]
    smiles = [canonical_smiles(parse_smiles(row["smiles"])) for row in rows]
    references = [row["description"] for row in rows]
    lexicon, runtime = settle(load_lexicon()), load_runtime(args.bundle)
    memory = load_memory(args.train, lexicon, [args.style])
    found = features_of(smiles, lexicon)
    near = [memory.neighbours(features, choice.NEIGHBOURS) for features in found]
    asked = questions(smiles, runtime.vocabulary, lexicon, found)
    print("| temperature | memory | reward | penalty | bleu4 | meteor | precision | not refuted |")
    print("|---" * 8 + "|")
    for temperature in args.temperatures:
        draws.TEMPERATURE = temperature
        made = runtime.candidates(asked, draws=args.draws)
        for label, known in (("", [()] * len(smiles)), ("yes", near)):
            for choice.REWARD, choice.PENALTY in PAIRS:
                texts = chosen(smiles, made, known)
                corpus = Corpus(
                    texts, references, load_tokenizer(args.tokenizer), load_wordnet(args.wordnet)
                )
                scores = [f"{compute(m, corpus).value:.3f}" for m in ("bleu4", "meteor")]
                weights = [str(choice.REWARD), str(choice.PENALTY)]
                cells = [str(temperature), label, *weights, *scores, *truth(smiles, texts)]
                print("| " + " | ".join(cells) + " |", flush=True)


def chosen(
    smiles: Sequence[str],
    made: Sequence[Sequence[Generation]],
    near: Sequence[Sequence[Neighbour]],
) -> list[str]:
    """One caption a molecule."""
    return [
        choice.choose(own, known, parse_smiles(text), load_lexicon()).text
        for text, own, known in zip(smiles, made, near, strict=True)
    ]


def truth(smiles: Sequence[str], captions: Sequence[str]) -> list[str]:
    """Share of checkable claims that are supported, share of captions without a refuted one."""
    checks = [
        check_caption(parse_smiles(text), caption, load_lexicon())
        for text, caption in zip(smiles, captions, strict=True)
    ]
    supported, checkable = (sum(c.n_supported for c in checks), sum(c.n_checkable for c in checks))
    clean = sum(not check.n_contradicted for check in checks)
    return [f"{supported / checkable:.3f}", f"{clean / len(checks):.1%}"]


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="bundle or merged model directory")
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.7, 1.0, 1.4])
    parser.add_argument("--tokenizer", default="word")
    parser.add_argument("--wordnet", help="folder of WordNet; METEOR does without by default")
    parser.add_argument("--style", default="chebi20", help="of the memory's rows")
    return parser.parse_args()


if __name__ == "__main__":
    main()

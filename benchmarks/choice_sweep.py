"""How captions are put together from candidates: what the numbers of choosing do, measured on dev.

    python benchmarks/choice_sweep.py exports/mini TRAIN.tsv DEV.tsv --tokenizer VOCAB.txt

For each pair of temperature and least probability the captioner draws once. Then each setting of
penalty (a refuted claim) and of the votes that an entry needs, supported or not, mends captions
from these candidates, alone and with TRAIN as memory.
"""

import argparse
from pathlib import Path

from dev_scores import chosen, read_dev, scores, truth

from molcaption.claims import load_lexicon, settle
from molcaption.data.features import features_of
from molcaption.data.memory_file import load_memory
from molcaption.engine import choice, draws
from molcaption.engine.questions import questions
from molcaption.engine.runtimes import load_runtime

PAIRS = ((0.0, 0.0), (0.03, 0.045), (0.03, 0.1), (0.03, 0.2), (0.0, 0.1))


def main() -> None:
    """Print one Markdown table."""
    args = parse_args()
    smiles, references = read_dev(args.dev, args.limit)
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
        for label, known in (("", None), ("yes", near)):
            for choice.REWARD, choice.PENALTY in PAIRS:
                texts = chosen(smiles, made, known)
                cells = [str(temperature), label, str(choice.REWARD), str(choice.PENALTY)]
                cells += scores(texts, references, ("bleu4", "meteor"), args)
                cells += truth(smiles, texts)
                print("| " + " | ".join(cells) + " |", flush=True)


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

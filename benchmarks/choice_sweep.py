"""How captions are put together from candidates: what the numbers of choosing do, measured on dev.

    python benchmarks/choice_sweep.py exports/mini TRAIN.tsv DEV.tsv --tokenizer VOCAB.txt

For each least likelihood of a drawn token the captioner draws once. Then each setting of the
penalty for a refuted claim, and of the votes that an entry needs, mends captions from these
candidates, alone and with TRAIN as memory.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from dev_scores import add_data, decided, read_dev, scores, truth

from molcaption.claims import load_lexicon, settle
from molcaption.data.features import features_of
from molcaption.data.memory_file import load_memory
from molcaption.engine import choice, draws, mend
from molcaption.engine.questions import questions
from molcaption.engine.runtimes import load_runtime

SETTINGS = (
    {},
    {"PENALTY": 0.2},
    {"PENALTY": 0.4},
    {"CLASS_VOTES": 0.2},
    {"OTHER_VOTES": 0.26},
    {"OTHER_VOTES": 0.34},
    {"OWN_WEIGHT": 0.3},
    {"OWN_WEIGHT": 1.0},
)
"""Of the modules' own numbers, one changed at a time."""


def main() -> None:
    """Print one Markdown table."""
    args = parse_args()
    smiles, references = read_dev(args.dev, args.limit)
    lexicon, runtime = settle(load_lexicon()), load_runtime(args.bundle)
    memory = load_memory(args.train, lexicon, args.style)
    found = features_of(smiles, lexicon)
    near = [memory.neighbours(features, choice.NEIGHBOURS) for features in found]
    asked = questions(smiles, runtime.vocabulary, lexicon, found)
    print("| least | memory | changed | bleu4 | meteor | precision | not refuted |")
    print("|---" * 7 + "|")
    for draws.LEAST in args.least:
        made = runtime.candidates(asked, draws=args.draws)
        for label, known in (("", None), ("yes", near)):
            for setting in SETTINGS:
                with changed(setting):
                    texts = decided(mend.mend, smiles, made, known)
                cells = [str(draws.LEAST), label, " ".join(f"{k} {v}" for k, v in setting.items())]
                cells += scores(texts, references, ("bleu4", "meteor"), args)
                cells += truth(smiles, texts)
                print("| " + " | ".join(cells) + " |", flush=True)


@contextmanager
def changed(setting: dict[str, float]) -> Iterator[None]:
    """These numbers in place of the modules' own."""
    homes = {name: mend if hasattr(mend, name) else choice for name in setting}
    own = {name: getattr(home, name) for name, home in homes.items()}
    for name, home in homes.items():
        setattr(home, name, setting[name])
    try:
        yield
    finally:
        for name, home in homes.items():
            setattr(home, name, own[name])


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data(parser)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--least", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    return parser.parse_args()


if __name__ == "__main__":
    main()

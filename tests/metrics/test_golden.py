"""Golden numbers: a small set that always runs, and published ones where the shared data is.

The recipe behind the published numbers is MolT5's evaluation: word pieces of the uncased SciBERT
vocabulary, 512 at most, special pieces dropped, a leading "[CLS] " taken off outputs; NLTK's
corpus BLEU and METEOR, rouge_score on raw text; files read without quoting.
"""

import gzip
from pathlib import Path

import pytest

from molcaption.metrics.signatures import METRICS, Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import NO_WORDNET, load_wordnet
from molcaption.score import score

OWN = {  # plain nltk 3.10.4, rouge_score 0.1.2 and sacrebleu 2.6.0 on split words
    "bleu2": 0.4367954808117851,
    "bleu4": 0.31386151611743984,
    "meteor": 0.4523526237478519,
    "rouge1": 0.600453720508167,
    "rouge2": 0.28941798941798946,
    "rougeL": 0.600453720508167,
    "sacrebleu": 0.284252360632186,
    "exact": 0.0,
    "length_ratio": 0.7121212121212122,
    "distinct1": 0.7446808510638298,
    "distinct2": 0.9767441860465116,
}
MOMU = {
    "bleu2": 0.5324291460271013,
    "bleu4": 0.4456614250078922,
    "meteor": 0.5582335314659328,
    "rouge1": 0.6216177742805807,
    "rouge2": 0.46989204033857784,
    "rougeL": 0.5642962657194562,
}
LINEAGE = {  # BLEU-2, BLEU-4, METEOR; MolT5's are published, T5's are plain NLTK's on the same file
    "molt5-small": (0.5315, 0.4449, 0.5575),
    "molt5-base": (0.5508, 0.4644, 0.5745),
    "molt5-large": (0.5877, 0.5023, 0.6142),
    "t5-v1_1-small": (0.5152, 0.4243, 0.5381),
    "t5-v1_1-base": (0.5223, 0.4318, 0.5452),
    "t5-v1_1-large": (0.5546, 0.4638, 0.5885),
}


@pytest.fixture(scope="module")
def scibert(shared_data: Path) -> str:
    return str(shared_data / "vocab" / "scibert_scivocab_uncased.txt")


def prediction_file(shared_data: Path, name: str) -> tuple[list[str], list[str]]:
    file = shared_data / "predictions" / f"{name}.tsv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    return [row[2].removeprefix("[CLS] ") for row in rows], [row[1] for row in rows]


@pytest.mark.parametrize("name", METRICS)
def test_own_golden_set(name: str, golden_pairs: list[tuple[str, str]]) -> None:
    captions, references = zip(*golden_pairs, strict=True)
    corpus = Corpus(captions, references, load_tokenizer("word"), NO_WORDNET)
    assert compute(name, corpus).value == pytest.approx(OWN[name], abs=1e-12)


def test_published_digits_of_momu_small_from_the_command(
    shared_data: Path, wordnet_folder: Path, scibert: str, tmp_path: Path
) -> None:
    file = shared_data / "predictions" / "momu-small.tsv.gz"
    scores = score(
        file, file,
        output=tmp_path / "scores.json", tokenizer=scibert, wordnet=wordnet_folder,
        id_column="SMILES", caption_column="output", description_column="ground truth",
        metrics=list(MOMU),
    )  # fmt: skip
    assert {s.name: s.value for s in scores} == pytest.approx(MOMU, abs=5e-13)


@pytest.mark.parametrize("name", LINEAGE)
def test_published_digits_of_the_molt5_lineage(
    shared_data: Path, wordnet_folder: Path, scibert: str, name: str
) -> None:
    captions, references = prediction_file(shared_data, name)
    wordnet = load_wordnet(wordnet_folder)
    corpus = Corpus(captions, references, load_tokenizer(scibert), wordnet)
    ours = tuple(round(compute(metric, corpus).value, 4) for metric in ("bleu2", "bleu4", "meteor"))
    assert ours == LINEAGE[name]


@pytest.mark.parametrize(
    ("tokenizer", "bleu4"), [("word", 0.4953), ("whitespace", 0.4394), ("sacrebleu", 0.4774)]
)
def test_one_file_has_several_bleus(shared_data: Path, tokenizer: str, bleu4: float) -> None:
    """The table of docs/scoring.md, as far as it needs no vocabulary."""
    captions, references = prediction_file(shared_data, "molt5-large")
    name = "sacrebleu" if tokenizer == "sacrebleu" else "bleu4"
    tokens = load_tokenizer("word" if name == "sacrebleu" else tokenizer)
    corpus = Corpus(captions, references, tokens, NO_WORDNET)
    assert round(compute(name, corpus).value, 4) == bleu4

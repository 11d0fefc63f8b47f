"""Scores that carry the recipe that made them, in the style of sacreBLEU's signatures.

`METRICS` is the list of what can be scored, `CHEMICAL_METRICS` of what needs structures too and
`MODEL_METRICS` of what needs a model. An entry says how a number comes from a `Corpus` and which
settings it depends on; adding a metric is one entry. A signature reads
``bleu4|tok:word|smooth:none|n:500|empty:0|…``: two scores compare only if theirs are equal.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from molcaption import __version__
from molcaption.metrics import bertscore, meteor, ngrams, rouge, text
from molcaption.metrics.chemistry import CLAIM_MEASURES, CheckedPairs
from molcaption.metrics.statistics import Floats, Resampling, RowSums, intervals, mean_of
from molcaption.metrics.tokenizers import TextTokenizer
from molcaption.metrics.wordnet import Synonyms


@dataclass
class Corpus:
    """N captions beside their references, with everything that several metrics share.

    Attributes:
        captions, references: N texts each, in the same order; an empty caption is charged in full.
        synonyms: METEOR's third stage; `NO_WORDNET` turns it off.
        origin: facts about how the pairs came together, for every signature (``join:id`` …).
        claims: captions and references judged against structures; None without structures.
        encoder: directory of the model behind BERTScore; None without one.
    """

    captions: Sequence[str]
    references: Sequence[str]
    tokenizer: TextTokenizer
    synonyms: Synonyms
    origin: Mapping[str, str] = field(default_factory=dict)
    claims: CheckedPairs | None = None
    encoder: str | Path | None = None

    @cached_property
    def caption_tokens(self) -> list[list[str]]:
        """[N] token lists."""
        return self.tokenizer.split(self.captions)

    @cached_property
    def reference_tokens(self) -> list[list[str]]:
        """[N] token lists."""
        return self.tokenizer.split(self.references)

    @cached_property
    def bleu_counts(self) -> text.Counts:
        """[N, 10], see `text.bleu_counts`."""
        return text.bleu_counts(self.caption_tokens, self.reference_tokens)

    @cached_property
    def sacrebleu_counts(self) -> text.Counts:
        """[N, 10], see `text.sacrebleu_counts`."""
        return text.sacrebleu_counts(self.captions, self.references)

    @cached_property
    def rouge(self) -> dict[str, text.Floats]:
        """[N] per ROUGE type."""
        return rouge.rouge(self.captions, self.references)

    @cached_property
    def meteor(self) -> text.Floats:
        """[N]."""
        return meteor.meteor(self.caption_tokens, self.reference_tokens, self.synonyms)

    @cached_property
    def bertscore(self) -> dict[str, text.Floats]:
        """[N] per part of `bertscore.bertscore`."""
        return bertscore.bertscore(self.captions, self.references, _encoder(self))

    @property
    def n_empty(self) -> int:
        """Captions that were charged as empty."""
        return sum(not caption.strip() for caption in self.captions)


@dataclass(frozen=True)
class Score:
    """One number with its name and the recipe that made it.

    ``low`` and ``high`` are the ends of its 95 % bootstrap interval; None where nothing was
    resampled, or nothing can be.
    """

    name: str
    value: float
    signature: str
    low: float | None = None
    high: float | None = None


Measured = dict[str, RowSums | float]
"""Metrics by name: sums over rows where they are such, plain numbers where not."""


@dataclass(frozen=True)
class Metric:
    """How a number comes from a corpus, and which settings of the corpus change it.

    ``measure`` gives the number as sums over rows, which can be resampled, or as it is.
    """

    measure: Callable[[Corpus], RowSums | float]
    settings: Callable[[Corpus], dict[str, str]]


def _tokens(corpus: Corpus) -> dict[str, str]:
    return {"tok": corpus.tokenizer.name}


def _from_counts(
    counts: Callable[[Corpus], text.Counts], score: Callable[[Any], float]
) -> Callable[[Corpus], RowSums]:
    """A function of sums of integer counts, which are exact as floats too."""

    def combine(sums: Floats) -> Floats:
        return np.array([score(row) for row in sums])

    return lambda corpus: RowSums(counts(corpus).astype(np.float64), combine)


def _bleu_counts(corpus: Corpus) -> text.Counts:
    return corpus.bleu_counts


def _sacrebleu_counts(corpus: Corpus) -> text.Counts:
    return corpus.sacrebleu_counts


def _bleu(order: int) -> Metric:
    return Metric(
        _from_counts(_bleu_counts, lambda counts: text.bleu(counts, order)),
        lambda corpus: {**_tokens(corpus), "smooth": "none", "nltk": version("nltk")},
    )


def _rouge(kind: str) -> Metric:
    return Metric(
        lambda corpus: mean_of(corpus.rouge[kind]),
        lambda _: {"tok": "rouge_score", "stem": "none", "rouge_score": version("rouge_score")},
    )


def _meteor_settings(corpus: Corpus) -> dict[str, str]:
    wordnet = corpus.synonyms.version
    return {**_tokens(corpus), "stem": "porter", "wordnet": wordnet, "nltk": version("nltk")}


def _sacrebleu_settings(_: Corpus) -> dict[str, str]:
    # sacreBLEU's own names and defaults, so that the recipe reads as in its signatures
    defaults = {"nrefs": "1", "case": "mixed", "eff": "no", "tok": "13a", "smooth": "exp"}
    return {**defaults, "sacrebleu": version("sacrebleu")}


def _chemical(measure: Callable[[CheckedPairs], RowSums]) -> Metric:
    return Metric(
        lambda corpus: measure(_claims(corpus)), lambda corpus: dict(_claims(corpus).settings)
    )


def _claims(corpus: Corpus) -> CheckedPairs:
    if corpus.claims is None:
        raise ValueError("chemical metrics need a corpus with structures")
    return corpus.claims


def _encoder(corpus: Corpus) -> str | Path:
    if corpus.encoder is None:
        raise ValueError("BERTScore needs a corpus with an encoder")
    return corpus.encoder


METRICS: dict[str, Metric] = {
    "bleu2": _bleu(2),
    "bleu4": _bleu(4),
    "meteor": Metric(lambda corpus: mean_of(corpus.meteor), _meteor_settings),
    "rouge1": _rouge("rouge1"),
    "rouge2": _rouge("rouge2"),
    "rougeL": _rouge("rougeL"),
    "sacrebleu": Metric(_from_counts(_sacrebleu_counts, text.sacrebleu), _sacrebleu_settings),
    "exact": Metric(
        lambda corpus: mean_of(text.exact_match(corpus.captions, corpus.references)),
        lambda _: {},
    ),
    "length_ratio": Metric(_from_counts(_bleu_counts, text.length_ratio), _tokens),
    "distinct1": Metric(lambda corpus: ngrams.distinct(corpus.caption_tokens, 1), _tokens),
    "distinct2": Metric(lambda corpus: ngrams.distinct(corpus.caption_tokens, 2), _tokens),
}
CHEMICAL_METRICS = {name: _chemical(measure) for name, measure in CLAIM_MEASURES.items()}
MODEL_METRICS = {
    "bertscore": Metric(
        lambda corpus: mean_of(corpus.bertscore["f1"]),
        lambda corpus: bertscore.bertscore_settings(_encoder(corpus)),
    )
}
ALL_METRICS = {**METRICS, **CHEMICAL_METRICS, **MODEL_METRICS}


def measure_all(names: Iterable[str], corpus: Corpus) -> Measured:
    """The metrics ``names`` of `ALL_METRICS` over ``corpus``, which must not be empty.

    Raises:
        ValueError: a chemical metric and no structures, or BERTScore and no encoder.
    """
    return {name: ALL_METRICS[name].measure(corpus) for name in names}


def resamplable(measured: Measured) -> dict[str, RowSums]:
    """Those of ``measured`` that are sums over rows."""
    return {name: metric for name, metric in measured.items() if isinstance(metric, RowSums)}


def signed(measured: Measured, corpus: Corpus, resampling: Resampling | None = None) -> list[Score]:
    """What `measure_all` found as signed scores, with intervals if there is a ``resampling``."""
    ends = intervals(resamplable(measured), resampling) if resampling else {}
    scores = []
    for name, metric in measured.items():
        drawn = resampling.settings if resampling and name in ends else {}
        value = metric.value if isinstance(metric, RowSums) else metric
        signature = _signature(name, corpus, drawn)
        scores.append(Score(name, value, signature, *ends.get(name, (None, None))))
    return scores


def compute(name: str, corpus: Corpus) -> Score:
    """One metric over ``corpus``, signed, without an interval."""
    return signed(measure_all([name], corpus), corpus)[0]


def _signature(name: str, corpus: Corpus, drawn: Mapping[str, str]) -> str:
    parts = {
        **ALL_METRICS[name].settings(corpus),
        "n": str(len(corpus.references)),
        "empty": str(corpus.n_empty),
        **corpus.origin,
        **drawn,
        "molcaption": __version__,
    }
    return "|".join([name, *map(":".join, parts.items())])

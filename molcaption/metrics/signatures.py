"""Scores that carry the recipe that made them, in the style of sacreBLEU's signatures.

`METRICS` is the list of what can be scored. An entry says how a number comes from a `Corpus` and
which settings it depends on; adding a metric is one entry. A signature reads
``bleu4|tok:word|smooth:none|n:500|empty:0|…``: two scores compare only if theirs are equal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version

import numpy as np

from molcaption import __version__
from molcaption.metrics import text
from molcaption.metrics.tokenizers import TextTokenizer
from molcaption.metrics.wordnet import Synonyms


@dataclass
class Corpus:
    """N captions beside their references, with everything that several metrics share.

    Attributes:
        captions, references: N texts each, in the same order; an empty caption is charged in full.
        synonyms: METEOR's third stage; `NO_WORDNET` turns it off.
        origin: facts about how the pairs came together, for every signature (``join:id`` …).
    """

    captions: Sequence[str]
    references: Sequence[str]
    tokenizer: TextTokenizer
    synonyms: Synonyms
    origin: Mapping[str, str] = field(default_factory=dict)

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
    def rouge(self) -> dict[str, text.Floats]:
        """[N] per ROUGE type."""
        return text.rouge(self.captions, self.references)

    @cached_property
    def meteor(self) -> text.Floats:
        """[N]."""
        return text.meteor(self.caption_tokens, self.reference_tokens, self.synonyms)

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


@dataclass(frozen=True)
class Metric:
    """How a number comes from a corpus, and which settings of the corpus change it."""

    compute: Callable[[Corpus], float]
    settings: Callable[[Corpus], dict[str, str]]


def _tokens(corpus: Corpus) -> dict[str, str]:
    return {"tok": corpus.tokenizer.name}


def _bleu(order: int) -> Metric:
    return Metric(
        lambda corpus: text.bleu(corpus.bleu_counts.sum(axis=0), order),
        lambda corpus: {**_tokens(corpus), "smooth": "none", "nltk": version("nltk")},
    )


def _rouge(kind: str) -> Metric:
    return Metric(
        lambda corpus: float(np.mean(corpus.rouge[kind])),
        lambda _: {"tok": "rouge_score", "stem": "none", "rouge_score": version("rouge_score")},
    )


def _meteor_settings(corpus: Corpus) -> dict[str, str]:
    wordnet = corpus.synonyms.version
    return {**_tokens(corpus), "stem": "porter", "wordnet": wordnet, "nltk": version("nltk")}


METRICS: dict[str, Metric] = {
    "bleu2": _bleu(2),
    "bleu4": _bleu(4),
    "meteor": Metric(lambda corpus: float(np.mean(corpus.meteor)), _meteor_settings),
    "rouge1": _rouge("rouge1"),
    "rouge2": _rouge("rouge2"),
    "rougeL": _rouge("rougeL"),
    "exact": Metric(
        lambda corpus: float(np.mean(text.exact_match(corpus.captions, corpus.references))),
        lambda _: {},
    ),
    "length_ratio": Metric(lambda c: text.length_ratio(c.bleu_counts.sum(axis=0)), _tokens),
    "distinct1": Metric(lambda corpus: text.distinct(corpus.caption_tokens, 1), _tokens),
    "distinct2": Metric(lambda corpus: text.distinct(corpus.caption_tokens, 2), _tokens),
}


def compute(name: str, corpus: Corpus) -> Score:
    """The metric ``name`` of `METRICS` over ``corpus``, signed. ``corpus`` must not be empty."""
    metric = METRICS[name]
    parts = {
        **metric.settings(corpus),
        "n": str(len(corpus.references)),
        "empty": str(corpus.n_empty),
        **corpus.origin,
        "molcaption": __version__,
    }
    return Score(name, metric.compute(corpus), "|".join([name, *map(":".join, parts.items())]))

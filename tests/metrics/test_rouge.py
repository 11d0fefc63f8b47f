"""ROUGE equals rouge_score's to the last digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenize import tokenize

from molcaption.metrics.rouge import ROUGE_TYPES, lcs_length, rouge, split

Words = st.lists(st.sampled_from("abcd"), max_size=80)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # absl's, at rouge_score's import
def test_rouge_is_rouge_scores(pairs: list[tuple[str, str]]) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    captions, references = zip(*pairs, strict=True)
    scorer = RougeScorer(list(ROUGE_TYPES))
    plain = [scorer.score(*pair) for pair in zip(references, captions, strict=True)]
    ours = rouge(captions, references)
    assert {kind: values.tolist() for kind, values in ours.items()} == {
        kind: [row[kind].fmeasure for row in plain] for kind in ROUGE_TYPES
    }


@given(Words, Words)
def test_the_subsequence_is_as_long_as_the_tables(left: list[str], right: list[str]) -> None:
    row = [0] * (len(right) + 1)
    for token in left:
        above = row[:]
        for place, other in enumerate(right):
            grown = above[place] + 1 if token == other else max(above[place + 1], row[place])
            row[place + 1] = grown
    assert lcs_length(left, right) == row[-1]


@given(st.text())
def test_tokens_are_rouge_scores(text: str) -> None:
    assert split([text]) == [tokenize(text, None)]

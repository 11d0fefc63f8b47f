"""Texts for a backbone: pure in (seed, epoch), in the asked shares, about the molecule shown."""

import re

import pytest
from rdkit import Chem

from molcaption.chem.molecule import canonical_smiles, parse_smiles
from molcaption.data.documents import CAPTIONS, NAMES, SENTENCES, DocumentSource
from molcaption.data.pairs import Pair
from molcaption.data.prompt import PromptTemplate, plain_prompt
from molcaption.data.tokenizer import train_tokenizer
from molcaption.data.words import hashed_words

MOLECULES = ["CCO", "CC(=O)O", "c1ccccc1", "C[C@H](N)C(=O)O", "F/C=C/F", "[Na+].[Cl-]"]
CAPTIONED = [Pair(str(i), s, f"Text {i}.", "a" if i % 2 else "b") for i, s in enumerate(MOLECULES)]
NAMED = [Pair("", s, f"name{i}") for i, s in enumerate(MOLECULES)]
BARE = [Pair("", s, "") for s in [*MOLECULES, "not a molecule"]]
PROMPT = PromptTemplate(plain_prompt(1), 1)
TOKENIZER = train_tokenizer([plain_prompt(1), *MOLECULES, "Text name It contains"], 400)


def _source(seed: int = 0, max_new_tokens: int = 400) -> DocumentSource:
    return DocumentSource(
        TOKENIZER,
        {CAPTIONS: CAPTIONED, NAMES: NAMED, SENTENCES: BARE},
        {CAPTIONS: 2.0, NAMES: 1.0, SENTENCES: 4.0},
        styles=["a"],
        prompt=PROMPT,
        max_prompt_tokens=400,
        max_new_tokens=max_new_tokens,
        seed=seed,
    )


def _texts(epoch: int, seed: int = 0) -> list[str]:
    return [
        TOKENIZER.decode(document.prompt + document.answer, skip_special_tokens=False)
        for document in _source(seed).epoch(epoch)
    ]


def test_an_epoch_is_a_pure_function_of_seed_and_epoch() -> None:
    assert _texts(0) == _texts(0)
    assert _texts(0) != _texts(1)
    assert _texts(0) != _texts(0, seed=1)


def test_every_caption_once_and_the_others_in_their_shares() -> None:
    texts = _texts(0)
    answers = [text.partition("<|assistant|>")[2] for text in texts]
    assert sorted(a for a in answers if a.startswith("Text")) == [
        f"Text {i}.<|end|>" for i in range(6)
    ]
    assert sum("IUPAC name" in text for text in texts) == 3
    assert 10 <= sum("State facts" in text for text in texts) <= 12  # one SMILES is unreadable


def test_other_styles_are_named_in_the_task_and_ours_is_not() -> None:
    for text in _texts(0):
        if "Text" in text:
            odd = int(re.search(r"Text (\d)", text)[1]) % 2
            assert ("Style: b." in text) == (not odd)
            assert "Style: a" not in text


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_the_smiles_is_always_the_molecule(epoch: int) -> None:
    expected = {canonical_smiles(parse_smiles(s)) for s in MOLECULES}
    for text in _texts(epoch):
        smiles = re.search(r"SMILES: (\S+)\n", text)[1]
        assert Chem.CanonSmiles(smiles) in {Chem.CanonSmiles(s) for s in expected}


def test_long_documents_are_cut() -> None:
    assert max(len(document.answer) for document in _source(max_new_tokens=30).epoch(0)) == 30


def test_tokenizer_gives_back_what_it_got() -> None:
    for text in ("The molecule is  (2S)-α-x.\n", "C[C@@H](N)C(=O)O", " a\tb"):
        assert TOKENIZER.decode(TOKENIZER.encode(text).ids) == text
    assert TOKENIZER.encode("<|graph|>").ids == [TOKENIZER.token_to_id("<|graph|>")]


def test_hashed_words_do_not_depend_on_the_process() -> None:
    assert hashed_words("a b") == [7379, 12281, 15939]  # CRC-32 of "a", "b", "a b", modulo 16384
    assert hashed_words("") == [0]
    assert hashed_words("An acid") == hashed_words("an ACID")
    assert hashed_words("an acid") != hashed_words("acid an")

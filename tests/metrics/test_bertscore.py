"""BERTScore against a plain double loop over the states of a tiny random BERT."""

import sys
from pathlib import Path

import numpy as np
import pytest

from molcaption.errors import BadDataError, MissingError, NoInputError
from molcaption.metrics.bertscore import bertscore, bertscore_settings
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import NO_WORDNET

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] an acid ester with ##s ring".split()
CAPTIONS = ["an acid with rings", "ester", "", "an acid"]
REFERENCES = ["an ester with an acid ring", "an acid", "acids", "an acid"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    directory = tmp_path_factory.mktemp("bert")
    ids = {piece: place for place, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", model_max_length=512, **names
    ).save_pretrained(directory)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(vocab_size=len(PIECES), intermediate_size=32, **sizes)
        BertModel(config).save_pretrained(directory)
    return directory


def plain(model_dir: Path, caption: str, reference: str) -> tuple[float, float]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModel.from_pretrained(model_dir).eval()

    def states(text: str) -> np.ndarray:
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        return hidden / np.linalg.norm(hidden, axis=1, keepdims=True)

    left, right = states(caption), states(reference)
    best = [max(float(x @ y) for y in right) for x in left][1:-1]  # without [CLS] and [SEP]
    found = [max(float(x @ y) for x in left) for y in right][1:-1]
    return sum(best) / len(best), sum(found) / len(found)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_bertscore_is_the_papers(model_dir: Path, batch_size: int) -> None:
    scores = bertscore(CAPTIONS, REFERENCES, model_dir, batch_size=batch_size)
    for row in (0, 1, 3):
        precision, recall = plain(model_dir, CAPTIONS[row], REFERENCES[row])
        assert scores["precision"][row] == pytest.approx(precision, abs=1e-5)
        assert scores["recall"][row] == pytest.approx(recall, abs=1e-5)
        f1 = 2 * precision * recall / (precision + recall)
        assert scores["f1"][row] == pytest.approx(f1, abs=1e-5)
    assert [values[2] for values in scores.values()] == [0, 0, 0]  # an empty caption
    assert scores["f1"][3] == pytest.approx(1)


def test_layers_differ_and_have_to_exist(model_dir: Path) -> None:
    last, first = (bertscore(CAPTIONS, REFERENCES, model_dir, layer=n)["f1"] for n in (-1, 0))
    assert not np.allclose(last, first)
    with pytest.raises(BadDataError, match="has layers 0 to 2, got 3"):
        bertscore(CAPTIONS, REFERENCES, model_dir, layer=3)


def test_the_settings_name_the_model(model_dir: Path) -> None:
    settings = bertscore_settings(model_dir)
    assert settings["model"].startswith(f"{model_dir.name}-")
    assert settings["layer"] == "-1"


def test_a_model_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoInputError, match="no such directory; BERTScore needs a local model"):
        bertscore(CAPTIONS, REFERENCES, tmp_path / "bert")
    with pytest.raises(BadDataError, match="not a transformers encoder") as caught:
        bertscore(CAPTIONS, REFERENCES, tmp_path)
    assert "\n" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match=r"pip install 'molcaption\[train\]'"):
        bertscore(CAPTIONS, REFERENCES, tmp_path)


def test_the_score_is_signed_with_its_model(model_dir: Path) -> None:
    corpus = Corpus(CAPTIONS, REFERENCES, load_tokenizer("word"), NO_WORDNET, encoder=model_dir)
    score = compute("bertscore", corpus)
    assert score.value == pytest.approx(bertscore(CAPTIONS, REFERENCES, model_dir)["f1"].mean())
    assert f"|model:{model_dir.name}-" in score.signature
    with pytest.raises(ValueError, match="needs a corpus with an encoder"):
        compute("bertscore", Corpus(CAPTIONS, REFERENCES, load_tokenizer("word"), NO_WORDNET))


def test_nothing_to_score(model_dir: Path) -> None:
    assert bertscore([], [], model_dir)["f1"].shape == (0,)
    with pytest.raises(ValueError, match="shorter"):
        bertscore(["a"], [], model_dir)

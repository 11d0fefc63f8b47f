"""The prompt: the mission's words, and a SMILES that is the only thing ever cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from molcaption.data.prompt import (
    FIXED,
    GRAPH_TOKEN,
    PromptTemplate,
    chat_prompt,
    plain_prompt,
)
from molcaption.data.tokenizer import train_tokenizer


def _tokenizer() -> Tokenizer:
    return train_tokenizer([plain_prompt(1), "The molecule is CCO", "CC(=O)Oc1ccccc1C(=O)O"], 400)


TOKENIZER = _tokenizer()


def test_the_missions_prompt_to_the_letter() -> None:
    template = PromptTemplate(plain_prompt(1), 1)
    assert template.render("CCO") == (
        "<|user|>Molecule Structure: <|graph|> | SMILES: CCO\n"
        "Task: Describe the molecule's chemical properties and groups.<|assistant|>"
    )


@settings(deadline=None)
@given(st.integers(1, 5), st.text("CNO()=1c[]@H", max_size=400), st.integers(60, 200))
def test_cutting_spares_graph_tokens_and_task(n: int, smiles: str, limit: int) -> None:
    template = PromptTemplate(plain_prompt(n), n)
    bare = template.encode(TOKENIZER, "", 10_000)
    if len(bare) > limit:
        return
    ids = template.encode(TOKENIZER, smiles, limit)
    assert len(ids) <= limit
    graph, end = TOKENIZER.token_to_id(GRAPH_TOKEN), TOKENIZER.token_to_id("<|assistant|>")
    assert ids.count(graph) == n
    assert ids[-1] == end
    assert TOKENIZER.decode(ids, skip_special_tokens=False).startswith("<|user|>Molecule")


def test_a_short_smiles_is_whole() -> None:
    ids = PromptTemplate(plain_prompt(1), 1).encode(TOKENIZER, "CC(=O)O", 512)
    assert "SMILES: CC(=O)O\n" in TOKENIZER.decode(ids, skip_special_tokens=False)


def test_no_room_for_the_prompt_itself() -> None:
    with pytest.raises(ValueError, match="the prompt alone"):
        PromptTemplate(plain_prompt(1), 1).encode(TOKENIZER, "CCO", 5)


@pytest.mark.parametrize("text", ["no slots", "{smiles}", f"{GRAPH_TOKEN}", f"{GRAPH_TOKEN} x"])
def test_a_template_without_its_slots_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a prompt needs"):
        PromptTemplate(text, 1)


def test_chat_asks_the_template_without_thinking() -> None:
    class Fake:
        def apply_chat_template(self, turns, **options):
            assert options == {
                "tokenize": False, "add_generation_prompt": True, "enable_thinking": False
            }  # fmt: skip
            return f"<u>{turns[0]['content']}</u><a>"

    assert chat_prompt(Fake(), 2).startswith(f"<u>Molecule Structure: {GRAPH_TOKEN * 2} | SMILES")


def test_our_own_tokenizer_spends_one_token_on_each_fixed_part() -> None:
    ids = PromptTemplate(plain_prompt(1), 1).encode(TOKENIZER, "", 512)
    assert len(ids) == 3 + len(FIXED)
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == plain_prompt(1).replace(
        "{smiles}", ""
    )

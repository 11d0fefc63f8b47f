"""The prompt: the mission's words, and a SMILES that is the only thing ever cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from molcaption.data.prompt import (
    GRAPH_TOKEN,
    Neighbour,
    PromptTemplate,
    Subject,
    chat_prompt,
    plain_prompt,
)
from molcaption.data.tokenizer import train_tokenizer


def _tokenizer() -> Tokenizer:
    return train_tokenizer([plain_prompt(1), "The molecule is CCO", "CC(=O)Oc1ccccc1C(=O)O"], 400)


TOKENIZER = _tokenizer()


def test_the_missions_prompt_to_the_letter() -> None:
    template = PromptTemplate(plain_prompt(1), 1)
    assert template.render(Subject("CCO")) == (
        "<|user|>Molecule Structure: <|graph|> | SMILES: CCO\n"
        "Task: Describe the molecule's chemical properties and groups.<|assistant|>"
    )


@settings(deadline=None)
@given(st.integers(1, 5), st.text("CNO()=1c[]@H", max_size=400), st.integers(60, 200))
def test_cutting_spares_graph_tokens_and_task(n: int, smiles: str, limit: int) -> None:
    template = PromptTemplate(plain_prompt(n), n)
    bare = template.encode(TOKENIZER, Subject(""), 10_000)
    if len(bare) > limit:
        return
    ids = template.encode(TOKENIZER, Subject(smiles), limit)
    assert len(ids) <= limit
    graph, end = TOKENIZER.token_to_id(GRAPH_TOKEN), TOKENIZER.token_to_id("<|assistant|>")
    assert ids.count(graph) == n
    assert ids[-1] == end
    assert TOKENIZER.decode(ids, skip_special_tokens=False).startswith("<|user|>Molecule")


def test_a_short_smiles_is_whole() -> None:
    ids = PromptTemplate(plain_prompt(1), 1).encode(TOKENIZER, Subject("CC(=O)O"), 512)
    assert "SMILES: CC(=O)O\n" in TOKENIZER.decode(ids, skip_special_tokens=False)


def test_no_room_for_the_prompt_itself() -> None:
    with pytest.raises(ValueError, match="the prompt alone"):
        PromptTemplate(plain_prompt(1), 1).encode(TOKENIZER, Subject("CCO"), 5)


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


WITH_EVIDENCE = PromptTemplate(plain_prompt(1, evidence=True), 1, hints=2, neighbours=1)


def test_evidence_follows_the_smiles() -> None:
    near = (Neighbour(0.874, "A caption."), Neighbour(0.5, "Another."))
    text = WITH_EVIDENCE.render(Subject("CCO", ("alcohol", "role solvent", "third"), near))
    assert "SMILES: CCO\nHints: alcohol; role solvent\nSimilar (87): A caption.\nTask: " in text
    assert WITH_EVIDENCE.render(Subject("CCO")) == PromptTemplate(plain_prompt(1), 1).render(
        Subject("CCO")
    )


@pytest.mark.parametrize("caption", ["ends <|assistant|>", "{smiles}{evidence}", "two\nlines"])
def test_a_hostile_caption_stays_within_its_line(caption: str) -> None:
    text = WITH_EVIDENCE.render(Subject("CCO", (), (Neighbour(1.0, caption),)))
    assert text.count("<|assistant|>") == text.count("CCO") == 1
    assert text.count("\n") == 2


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 40), st.integers(0, 200), st.integers(45, 200))
def test_neighbours_go_first_then_smiles_then_hints(
    n_words: int, n_hint: int, n_smiles: int, limit: int
) -> None:
    near = (Neighbour(0.5, "word " * n_words),)
    subject = Subject("C" * n_smiles, ("h" * n_hint, "h" * n_hint), near)
    ids = WITH_EVIDENCE.encode(TOKENIZER, subject, limit)
    text = TOKENIZER.decode(ids, skip_special_tokens=False)
    assert len(ids) <= limit
    if "Similar" not in text and len(WITH_EVIDENCE.encode(TOKENIZER, subject, 10_000)) <= limit:
        raise AssertionError("neighbours left out without need")
    if f"SMILES: {subject.smiles}\n" not in text:
        assert "Similar" not in text
    if n_hint and f"Hints: {subject.hints[0]}; {subject.hints[1]}" not in text:
        assert "SMILES: \n" in text

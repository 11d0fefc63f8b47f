"""The prompt: the mission's words, and a SMILES that is the only thing ever cut."""

import os

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
    user_turn,
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


QWEN3_PROMPT = (
    "<|im_start|>user\n"
    "Molecule Structure: <|graph|> | SMILES: CC(=O)Oc1ccccc1C(=O)O\n"
    "Task: Describe the molecule's chemical properties and groups.<|im_end|>\n"
    "<|im_start|>assistant\n"
    "<think>\n\n</think>\n\n"
)
"""What Qwen3's own template makes of the user turn for aspirin, thinking off."""
QWEN3_IDS = [
    151644, 872, 198, 44, 54169, 28596, 25, 220, 151669, 760, 13716, 45978, 25, 13534, 7, 28, 46, 8,
    46, 66, 16, 638, 37054, 16, 34, 7, 28, 46, 8, 46, 198, 6262, 25, 60785, 279, 41930, 594, 11483,
    5888, 323, 5203, 13, 151645, 198, 151644, 77091, 198, 151667, 271, 151668, 271,
]  # fmt: skip
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.fixture(scope="module")
def qwen3():
    """The real tokenizer, from the hub's cache or the folder in QWEN3_TOKENIZER."""
    from molcaption.errors import MissingError
    from molcaption.nn.backbone import load_tokenizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        try:
            return load_tokenizer(os.environ.get("QWEN3_TOKENIZER", "Qwen/Qwen3-0.6B"))
        except MissingError:
            pytest.skip("Qwen3's tokenizer is not in the hub's cache, nor in QWEN3_TOKENIZER")


def test_qwen3_renders_its_own_template(qwen3) -> None:
    template = PromptTemplate(chat_prompt(qwen3, 1), 1)
    assert template.render(ASPIRIN) == QWEN3_PROMPT
    assert template.encode(qwen3.backend_tokenizer, ASPIRIN, 512) == QWEN3_IDS
    turns = [{"role": "user", "content": user_turn(1).replace("{smiles}", ASPIRIN)}]
    options = {"add_generation_prompt": True, "enable_thinking": False}
    assert qwen3.apply_chat_template(turns, **options)["input_ids"] == QWEN3_IDS


def test_qwen3_has_a_spare_row_for_the_graph_token(qwen3) -> None:
    assert qwen3.convert_tokens_to_ids(GRAPH_TOKEN) == len(qwen3) - 1 == 151669  # of 151936 rows
    assert (qwen3.eos_token, qwen3.pad_token) == ("<|im_end|>", "<|endoftext|>")


@pytest.mark.parametrize("limit", [60, 512])
def test_a_smiles_of_1600_characters_in_qwen3(qwen3, limit: int) -> None:
    template, smiles = PromptTemplate(chat_prompt(qwen3, 2), 2), "C(=O)N[C@@H](CO)" * 100
    ids = template.encode(qwen3.backend_tokenizer, smiles, limit)
    before, _, after = template.render("\0").partition("\0")
    text = qwen3.decode(ids)
    assert len(ids) == limit
    assert text.startswith(before)
    assert text.endswith(after)
    kept = text.removeprefix(before).removesuffix(after)
    assert smiles.startswith(kept)
    assert len(kept) > limit - 60


def test_our_own_tokenizer_spends_one_token_on_each_fixed_part() -> None:
    ids = PromptTemplate(plain_prompt(1), 1).encode(TOKENIZER, "", 512)
    assert len(ids) == 3 + len(FIXED)
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == plain_prompt(1).replace(
        "{smiles}", ""
    )

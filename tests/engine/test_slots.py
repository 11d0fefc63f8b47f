"""Slots of a decoder: what they give is what the whole sequence in one pass gives."""

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

from molcaption.engine.runtimes.slots import SlotDecoder

SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "intermediate_size": 48,
}
LENGTHS = [125, 3, 60]
"""Of the prompts: one passes position 128 while it is continued."""


@pytest.fixture(params=[(Qwen3Config, Qwen3ForCausalLM), (LlamaConfig, LlamaForCausalLM)])
def llm(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    config, model = request.param
    return model(config(**SIZES)).eval()


@pytest.fixture
def texts() -> list[list[int]]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(60, (n + 6,), generator=generator).tolist() for n in LENGTHS]


@torch.inference_mode()
def in_one_pass(llm: Any, text: list[int]) -> torch.Tensor:
    logits: torch.Tensor = llm(input_ids=torch.tensor([text])).logits[0, -1]
    return logits


def prompts(llm: Any, texts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(LENGTHS)
    ids, mask = torch.zeros(2, len(texts), longest, dtype=torch.long)
    for row, (text, n) in enumerate(zip(texts, LENGTHS, strict=True)):
        ids[row, longest - n :] = torch.tensor(text[:n])
        mask[row, longest - n :] = 1
    return llm.get_input_embeddings()(ids), mask


@torch.inference_mode()
def test_steps_are_those_of_the_whole_sequence(llm: Any, texts: list[list[int]]) -> None:
    decoder = SlotDecoder(llm, 7, max(LENGTHS) + 6)
    logits = decoder.start(*prompts(llm, texts), [[0], [1, 3], [2]])
    for row, (text, n) in enumerate(zip(texts, LENGTHS, strict=True)):
        torch.testing.assert_close(logits[row], in_one_pass(llm, text[:n]))
    order = [0, 1, 2, 1]  # the text in each slot: one prompt went into two
    for done in range(5):
        lengths = [LENGTHS[i] + done for i in order]
        tokens = [texts[i][n] for i, n in zip(order, lengths, strict=True)]
        logits = decoder.step(tokens, lengths)
        for slot, (i, n) in enumerate(zip(order, lengths, strict=True)):
            torch.testing.assert_close(logits[slot], in_one_pass(llm, texts[i][: n + 1]))


@torch.inference_mode()
def test_a_slot_can_be_taken_over(llm: Any, texts: list[list[int]]) -> None:
    decoder = SlotDecoder(llm, 5, max(LENGTHS) + 6)
    decoder.start(*prompts(llm, texts), [[0], [4], [2]])
    decoder.copy([4], [1], 3)
    logits = decoder.step([0, texts[1][3]], [0, 3])
    torch.testing.assert_close(logits[1], in_one_pass(llm, texts[1][:4]))
    short = [texts[1][:3]] * 3
    embeds = llm.get_input_embeddings()(torch.tensor(short))
    decoder.start(
        embeds, torch.ones(3, 3, dtype=torch.long), [[0], [1], [2]]
    )  # shorter than before
    logits = decoder.step([texts[1][3]] * 3, [3] * 3)
    torch.testing.assert_close(logits[0], in_one_pass(llm, texts[1][:4]))

"""The prompt around a molecule: one string with a slot for its SMILES.

The wording is the mission's. ``plain`` writes the mission's own turn markers; ``chat`` asks the
backbone's chat template to put its markers around the same user turn (Qwen3: thinking off).
Whatever the format, the result is a plain string with ``{smiles}`` in it, stored beside the
weights: training, the torch runtime and an ONNX bundle all fill in the same string, and none of
the latter two needs a template engine.
"""

from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

GRAPH_TOKEN = "<|graph|>"
USER, ASSISTANT, END, PAD = "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
TASK = "Describe the molecule's chemical properties and groups."
_BEFORE, _BETWEEN, _AFTER = "Molecule Structure: ", " | SMILES: ", "\nTask: "
FIXED = (_BEFORE, _BETWEEN, _AFTER + TASK)
"""What every prompt says: a tokenizer of our own gives each a single token."""
_SMILES = "{smiles}"


def user_turn(n_graph_tokens: int) -> str:
    """What the user says: graph tokens, SMILES slot, task."""
    return f"{_BEFORE}{GRAPH_TOKEN * n_graph_tokens}{_BETWEEN}{_SMILES}{_AFTER}{TASK}"


def plain_prompt(n_graph_tokens: int) -> str:
    """The mission's format, for backbones without a chat template."""
    return f"{USER}{user_turn(n_graph_tokens)}{ASSISTANT}"


def chat_prompt(tokenizer: Any, n_graph_tokens: int) -> str:
    """The user turn in the chat template of a Hugging Face ``tokenizer``, thinking off.

    Raises:
        ValueError: the tokenizer has no chat template.
    """
    turns = [{"role": "user", "content": user_turn(n_graph_tokens)}]
    return str(
        tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    )


def encode_caption(tokenizer: Tokenizer, text: str, end: int, max_tokens: int) -> list[int]:
    """Token ids of a caption and the ``end`` that a captioner writes after it, ``max_tokens`` in
    all; a longer caption is cut."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return [*ids[: max_tokens - 1], end]


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt with ``n_graph_tokens`` graph tokens in place and a slot for the SMILES."""

    text: str
    n_graph_tokens: int
    graph_token: str = GRAPH_TOKEN

    def __post_init__(self) -> None:
        found = self.text.count(self.graph_token), self.text.count(_SMILES)
        if found != (self.n_graph_tokens, 1):
            raise ValueError(
                f"a prompt needs {self.n_graph_tokens} x {self.graph_token} and one {_SMILES}; "
                f"got {found[0]} and {found[1]}: {self.text!r}"
            )

    def render(self, smiles: str) -> str:
        """The prompt for one molecule."""
        return self.text.replace(_SMILES, smiles)

    def encode(self, tokenizer: Tokenizer, smiles: str, max_tokens: int) -> list[int]:
        """Token ids of the prompt, at most ``max_tokens``.

        A prompt that is too long loses the end of its SMILES; the graph tokens and the task stay.

        Raises:
            ValueError: the prompt without SMILES is longer than ``max_tokens``.
        """
        while len(ids := self._ids(tokenizer, smiles)) > max_tokens:
            excess = len(ids) - max_tokens
            if not smiles:
                raise ValueError(f"the prompt alone is {excess} tokens too long")
            # A token covers at least one character, so this never cuts more than needed.
            smiles = smiles[:-excess]
        return ids

    def _ids(self, tokenizer: Tokenizer, smiles: str) -> list[int]:
        ids: list[int] = tokenizer.encode(self.render(smiles), add_special_tokens=False).ids
        return ids

"""The prompt around a molecule: one string with two slots, the graph tokens and the SMILES.

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
_SLOT = "{smiles}"


def user_turn(n_graph_tokens: int, task: str = TASK) -> str:
    """What the user says: graph tokens, SMILES slot, task."""
    graph = GRAPH_TOKEN * n_graph_tokens
    return f"Molecule Structure: {graph} | SMILES: {_SLOT}\nTask: {task}"


def plain_prompt(n_graph_tokens: int, task: str = TASK) -> str:
    """The mission's format, for backbones without a chat template."""
    return f"{USER}{user_turn(n_graph_tokens, task)}{ASSISTANT}"


def chat_prompt(tokenizer: Any, n_graph_tokens: int, task: str = TASK) -> str:
    """The user turn in the chat template of a Hugging Face ``tokenizer``, thinking off.

    Raises:
        ValueError: the tokenizer has no chat template.
    """
    turns = [{"role": "user", "content": user_turn(n_graph_tokens, task)}]
    return str(
        tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    )


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt with a slot for the SMILES and ``n_graph_tokens`` graph tokens in place."""

    text: str
    n_graph_tokens: int
    graph_token: str = GRAPH_TOKEN

    def __post_init__(self) -> None:
        found = self.text.count(self.graph_token)
        if found != self.n_graph_tokens or self.text.count(_SLOT) != 1:
            raise ValueError(
                f"a prompt needs {self.n_graph_tokens} x {self.graph_token} and one {_SLOT}; "
                f"got {found} and {self.text.count(_SLOT)}: {self.text!r}"
            )

    def render(self, smiles: str) -> str:
        """The prompt for one molecule."""
        return self.text.replace(_SLOT, smiles)

    def encode(self, tokenizer: Tokenizer, smiles: str, max_tokens: int) -> list[int]:
        """Token ids of the prompt, at most ``max_tokens``.

        Only the SMILES is ever shortened, from its end: the graph tokens and the task stay.

        Raises:
            ValueError: the prompt without any SMILES is longer than ``max_tokens``.
        """
        kept = len(smiles)
        while True:
            ids = self._ids(tokenizer, smiles[:kept])
            excess = len(ids) - max_tokens
            if excess <= 0:
                return ids
            if kept == 0:
                raise ValueError(f"the prompt alone takes {len(ids)} tokens of {max_tokens}")
            # A token covers at least one character, so this never cuts more than needed.
            kept = max(0, kept - excess)

    def _ids(self, tokenizer: Tokenizer, smiles: str) -> list[int]:
        ids: list[int] = tokenizer.encode(self.render(smiles), add_special_tokens=False).ids
        return ids

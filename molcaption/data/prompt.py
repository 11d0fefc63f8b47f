"""The prompt around a molecule: one string with slots for what is known of it.

The wording is the mission's; a recipe may have hints and the captions of similar molecules follow
the SMILES. ``plain`` writes the mission's own turn markers; ``chat`` asks the backbone's chat
template to put its markers around the same user turn (Qwen3: thinking off). Whatever the format,
the result is a plain string with ``{smiles}`` and perhaps ``{evidence}`` in it, stored beside the
weights: training, the torch runtime and an ONNX bundle all fill in the same string, and none of
the latter two needs a template engine.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tokenizers import Tokenizer

GRAPH_TOKEN = "<|graph|>"
USER, ASSISTANT, END, PAD = "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
TASK = "Describe the molecule's chemical properties and groups."
_SMILES, _EVIDENCE = "{smiles}", "{evidence}"
_SLOTS = re.compile(r"\{smiles\}|\{evidence\}")
_MARK = re.compile(r"<\|(\w+)\|>")
_LONGEST_CAPTION = 600
"""Characters of a similar molecule's caption that a prompt shows; 95 % of ChEBI's are shorter."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A similar molecule's caption and how similar it is, from 0 to 1."""

    similarity: float
    caption: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a prompt says of a molecule beside its graph tokens."""

    smiles: str
    hints: tuple[str, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()


def user_turn(n_graph_tokens: int, task: str = TASK, evidence: bool = False) -> str:
    """What the user says: graph tokens, SMILES slot, perhaps a slot for evidence, task."""
    graph = GRAPH_TOKEN * n_graph_tokens
    shown = _EVIDENCE if evidence else ""
    return f"Molecule Structure: {graph} | SMILES: {_SMILES}{shown}\nTask: {task}"


def plain_prompt(n_graph_tokens: int, task: str = TASK, evidence: bool = False) -> str:
    """The mission's format, for backbones without a chat template."""
    return f"{USER}{user_turn(n_graph_tokens, task, evidence)}{ASSISTANT}"


def chat_prompt(
    tokenizer: Any, n_graph_tokens: int, task: str = TASK, evidence: bool = False
) -> str:
    """The user turn in the chat template of a Hugging Face ``tokenizer``, thinking off.

    Raises:
        ValueError: the tokenizer has no chat template.
    """
    turns = [{"role": "user", "content": user_turn(n_graph_tokens, task, evidence)}]
    return str(
        tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    )


def evidence_text(hints: Sequence[str], neighbours: Sequence[Neighbour]) -> str:
    """The lines that fill the evidence slot; empty without any.

    Marks of turns in a user's own captions lose their bars: they must not end the user's turn.
    """
    lines = [f"\nHints: {'; '.join(hints)}"] if hints else []
    for neighbour in neighbours:
        caption = _MARK.sub(r"<\1>", neighbour.caption[:_LONGEST_CAPTION]).replace("\n", " ")
        lines.append(f"\nSimilar ({100 * neighbour.similarity:.0f}): {caption}")
    return "".join(lines)


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt with slots and ``n_graph_tokens`` graph tokens in place.

    Attributes:
        hints, neighbours: the most that a prompt shows of each; without both there is no slot.
    """

    text: str
    n_graph_tokens: int
    graph_token: str = GRAPH_TOKEN
    hints: int = 0
    neighbours: int = 0

    def __post_init__(self) -> None:
        found = self.text.count(self.graph_token), self.text.count(_SMILES)
        slots = self.text.count(_EVIDENCE)
        wanted = int(self.hints > 0 or self.neighbours > 0)
        if found != (self.n_graph_tokens, 1) or slots != wanted:
            raise ValueError(
                f"a prompt needs {self.n_graph_tokens} x {self.graph_token}, one {_SMILES} and "
                f"{wanted} x {_EVIDENCE}; got {found[0]}, {found[1]} and {slots}: {self.text!r}"
            )

    def render(self, subject: Subject) -> str:
        """The prompt for one molecule."""
        values = {
            _SMILES: subject.smiles,
            _EVIDENCE: evidence_text(
                subject.hints[: self.hints], subject.neighbours[: self.neighbours]
            ),
        }
        return _SLOTS.sub(lambda slot: values[slot.group()], self.text)

    def encode(self, tokenizer: Tokenizer, subject: Subject, max_tokens: int) -> list[int]:
        """Token ids of the prompt, at most ``max_tokens``.

        A prompt that is too long loses its neighbours, the last one first, then the end of its
        SMILES, then its hints; the graph tokens and the task stay.

        Raises:
            ValueError: the prompt without any of these is longer than ``max_tokens``.
        """
        while len(ids := self._ids(tokenizer, subject)) > max_tokens:
            subject = _shortened(subject, len(ids) - max_tokens)
        return ids

    def _ids(self, tokenizer: Tokenizer, subject: Subject) -> list[int]:
        ids: list[int] = tokenizer.encode(self.render(subject), add_special_tokens=False).ids
        return ids


def _shortened(subject: Subject, excess: int) -> Subject:
    """The same with something less to show; ``excess`` is in tokens."""
    if subject.neighbours:
        return replace(subject, neighbours=subject.neighbours[:-1])
    if subject.smiles:
        # A token covers at least one character, so this never cuts more than needed.
        return replace(subject, smiles=subject.smiles[:-excess])
    if subject.hints:
        return replace(subject, hints=subject.hints[:-1])
    raise ValueError(f"the prompt alone is {excess} tokens too long")

"""Pairs as training examples: graph, prompt ids, description ids.

The graph and the canonical prompt of a pair never change and are kept; with augmentation the
prompt shows the molecule's SMILES with its atoms in another order, a pure function of
(seed, epoch, index).
"""

import random
from collections.abc import Sequence

from tokenizers import Tokenizer

from molcaption.chem.graph import featurise
from molcaption.chem.molecule import parse_smiles
from molcaption.data.collate import Example
from molcaption.data.documents import randomised
from molcaption.data.pairs import Pair
from molcaption.data.prompt import PromptTemplate


class ExampleDataset:
    """Examples by index and epoch.

    Args:
        end: id of the token that ends a description, part of the loss.
        max_prompt_tokens, max_new_tokens: longer SMILES and descriptions are cut.
        augment: probability of a randomised SMILES.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizer: Tokenizer,
        prompt: PromptTemplate,
        *,
        end: int,
        max_prompt_tokens: int,
        max_new_tokens: int,
        augment: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._pairs = pairs
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._max_prompt_tokens = max_prompt_tokens
        self._augment = augment
        self._seed = seed
        self._plain = [self._example(pair, end, max_new_tokens) for pair in pairs]

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each example in canonical form."""
        return [len(example.prompt) + len(example.description) for example in self._plain]

    def get(self, index: int, epoch: int) -> Example:
        """One example as this epoch shows it."""
        plain = self._plain[index]
        rng = random.Random(f"{self._seed}/{epoch}/{index}")
        if rng.random() >= self._augment:
            return plain
        smiles = randomised(parse_smiles(self._pairs[index].smiles), rng)
        return Example(plain.graph, self._encode(smiles), plain.description)

    def _example(self, pair: Pair, end: int, max_new_tokens: int) -> Example:
        description = self._tokenizer.encode(pair.description, add_special_tokens=False).ids
        return Example(
            graph=featurise(parse_smiles(pair.smiles)),
            prompt=self._encode(pair.smiles),
            description=[*description[: max_new_tokens - 1], end],
        )

    def _encode(self, smiles: str) -> list[int]:
        return self._prompt.encode(self._tokenizer, smiles, self._max_prompt_tokens)

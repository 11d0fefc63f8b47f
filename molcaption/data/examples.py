"""Pairs as training examples: what is seen of the molecule, prompt ids, description ids.

Molecule and description of a pair never change and are kept. The prompt does: with augmentation it
shows the SMILES with its atoms in another order, or none at all; a pure function of (seed, epoch,
index).
"""

import random
from collections.abc import Sequence

from tokenizers import Tokenizer

from molcaption.chem.molecule import parse_smiles
from molcaption.data.collate import Example
from molcaption.data.documents import randomised
from molcaption.data.features import MoleculeView
from molcaption.data.pairs import Pair
from molcaption.data.prompt import PromptTemplate, encode_caption


class ExampleDataset:
    """Examples by epoch.

    Args:
        views: what the captioner sees of each pair's molecule.
        end: id of the token that ends a description, part of the loss.
        max_prompt_tokens, max_new_tokens: longer prompts and descriptions are cut.
        augment: probability of a randomised SMILES.
        hide_smiles: probability of a prompt without SMILES.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        views: Sequence[MoleculeView],
        tokenizer: Tokenizer,
        prompt: PromptTemplate,
        *,
        end: int,
        max_prompt_tokens: int,
        max_new_tokens: int,
        augment: float = 0.0,
        hide_smiles: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._pairs = pairs
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._max_prompt_tokens = max_prompt_tokens
        self._augment = augment
        self._hide_smiles = hide_smiles
        self._seed = seed
        self._views = views
        self._descriptions = [
            encode_caption(tokenizer, pair.description, end, max_new_tokens) for pair in pairs
        ]
        self._epoch: tuple[int, list[Example]] = (-1, [])

    def __len__(self) -> int:
        return len(self._pairs)

    def epoch(self, epoch: int) -> list[Example]:
        """All examples as this epoch shows them; those of the last epoch asked for are kept."""
        if self._epoch[0] != epoch:
            self._epoch = (epoch, [self._example(i, epoch) for i in range(len(self))])
        return self._epoch[1]

    def lengths(self, epoch: int) -> list[int]:
        """Tokens of each example."""
        return [len(example.prompt) + len(example.description) for example in self.epoch(epoch)]

    def _example(self, index: int, epoch: int) -> Example:
        pair = self._pairs[index]
        rng = random.Random(f"{self._seed}/{epoch}/{index}")
        smiles = pair.smiles
        if rng.random() < self._augment:
            smiles = randomised(parse_smiles(smiles), rng)
        if rng.random() < self._hide_smiles:
            smiles = ""
        prompt = self._prompt.encode(self._tokenizer, smiles, self._max_prompt_tokens)
        return Example(self._views[index], prompt, self._descriptions[index])

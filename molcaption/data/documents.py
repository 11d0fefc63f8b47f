"""Texts for a backbone that knows no language yet: molecules with something to say about each.

Three kinds, all in the shape of the captioner's own prompt: real captions, IUPAC names, and
sentences that our own code writes about real structures (grounded by construction, as many as there
are structures). The task line names the kind, and the style of a caption that is not in the styles
of fine-tuning, so that one prose does not leak into another.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem
from tokenizers import Tokenizer

from molcaption.chem.molecule import InvalidMolecule, parse_smiles
from molcaption.data.pairs import Pair
from molcaption.data.prompt import END, TASK, PromptTemplate
from molcaption.data.sentences import describe

CAPTIONS, NAMES, SENTENCES = "captions", "names", "sentences"
_TASKS = {
    NAMES: "Give the molecule's IUPAC name.",
    SENTENCES: "State facts of the molecule's structure.",
}


@dataclass(frozen=True, slots=True)
class Document:
    """Token ids of a prompt and of the text that answers it, its end token included."""

    prompt: list[int]
    answer: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


class DocumentSource:
    """Documents of an epoch, as a pure function of (seed, epoch).

    An epoch shows each captioned pair once and, of the other kinds, the number that the mixture
    asks for, taken in a fixed random order that goes on from epoch to epoch.

    Args:
        tokenizer: of the backbone.
        texts: the pairs of each kind; for `SENTENCES` structures with empty descriptions.
        mixture: share of each kind, relative to one another; `CAPTIONS` must be there.
        styles: caption styles that need no mention in the task line.
        prompt: the captioner's own; other tasks are put in place of its task.
        max_prompt_tokens, max_new_tokens: longer prompts and answers are cut.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        texts: Mapping[str, Sequence[Pair]],
        mixture: Mapping[str, float],
        *,
        styles: Collection[str],
        prompt: PromptTemplate,
        max_prompt_tokens: int,
        max_new_tokens: int,
        seed: int,
    ) -> None:
        self._tokenizer = tokenizer
        self._texts = texts
        self._mixture = mixture
        self._styles = styles
        self._prompt = prompt
        self._max_prompt_tokens = max_prompt_tokens
        self._max_new_tokens = max_new_tokens
        self._seed = seed

    def epoch(self, epoch: int) -> list[Document]:
        """All documents of one epoch."""
        documents: list[Document] = []
        for kind, pairs in sorted(self._texts.items()):
            for turn, pair in self._take(kind, pairs, epoch):
                rng = random.Random(f"{self._seed}/{turn}/{pair.smiles}")
                if made := self._document(kind, pair, rng):
                    documents.append(made)
        return documents

    def _take(self, kind: str, pairs: Sequence[Pair], epoch: int) -> list[tuple[int, Pair]]:
        """The pairs that this epoch shows, each with how often it was shown before."""
        captions = len(self._texts[CAPTIONS])
        count = round(captions * self._mixture[kind] / self._mixture[CAPTIONS])
        order = np.random.default_rng([self._seed, len(kind)]).permutation(len(pairs))
        places = range(epoch * count, (epoch + 1) * count)
        return [(i // len(pairs), pairs[order[i % len(pairs)]]) for i in places]

    def _document(self, kind: str, pair: Pair, rng: random.Random) -> Document | None:
        try:
            mol = parse_smiles(pair.smiles)
        except InvalidMolecule:
            return None
        answer = describe(mol, rng) if kind == SENTENCES else pair.description
        # One shown in canonical form, the next with its atoms in another order.
        smiles = pair.smiles if rng.random() < 0.5 else randomised(mol, rng)
        text = self._prompt.text.replace(TASK, self._task(kind, pair.style))
        prompt = replace(self._prompt, text=text).encode(
            self._tokenizer, smiles, self._max_prompt_tokens
        )
        ids = self._tokenizer.encode(answer + END, add_special_tokens=False).ids
        return Document(prompt, ids[: self._max_new_tokens])

    def _task(self, kind: str, style: str) -> str:
        if kind != CAPTIONS:
            return _TASKS[kind]
        return TASK if style in self._styles else f"{TASK} Style: {style}."


def randomised(mol: Chem.Mol, rng: random.Random) -> str:
    """A SMILES of ``mol`` with its atoms in a random order; stereo is kept."""
    order = list(range(mol.GetNumAtoms()))
    rng.shuffle(order)
    shuffled = Chem.RenumberAtoms(mol, order)
    return str(Chem.MolToSmiles(shuffled, canonical=False))

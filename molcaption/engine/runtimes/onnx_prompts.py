"""What a bundle's decoder is given first: the prompt of a molecule, with the molecule's own vectors
in the places of its graph tokens.

Dims: B molecules, S tokens of a prompt, Q graph tokens, R tokens of the features, D width.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from molcaption.data.features import MoleculeView
from molcaption.engine import bundle
from molcaption.engine.packed import FloatArray, take_rows
from molcaption.engine.questions import Question
from molcaption.engine.runtimes.session import BridgeSession

_BRIDGE_BATCH = 64


@dataclass(frozen=True, slots=True)
class Prompt:
    """A molecule that waits: its SMILES, the ids of its prompt [S] and its vectors [Q + R, D]. It
    is embedded when it starts; a thousand embedded ones fill the memory."""

    smiles: str
    ids: NDArray[np.int64]
    vectors: FloatArray


class Prompter:
    """Makes prompts.

    Args:
        directory: of the bundle.
    """

    def __init__(self, directory: Path, manifest: bundle.Manifest, tokenizer: Tokenizer) -> None:
        self._manifest, self._tokenizer = manifest, tokenizer
        self._embeddings = np.load(directory / bundle.EMBEDDINGS, mmap_mode="r")
        self._bridge = BridgeSession(directory)
        # The bridge computes in one thread: here it does so while the decoder goes on.
        self._aside = ThreadPoolExecutor(1, "bridge")

    def begin(self, molecules: Sequence[Question]) -> Future[list[Prompt]]:
        """Have the prompts made beside whatever the caller does next."""
        return self._aside.submit(self.prompts, molecules)

    def prompts(self, molecules: Sequence[Question]) -> list[Prompt]:
        """One for each molecule, in order."""
        made = []
        for start in range(0, len(molecules), _BRIDGE_BATCH):
            chunk = molecules[start : start + _BRIDGE_BATCH]
            tokens = self.tokens([view for view, _ in chunk])
            for (_, smiles), vectors in zip(chunk, tokens, strict=True):
                made.append(Prompt(smiles, np.array(self._encode(smiles)), vectors))
        return made

    def tokens(self, views: Sequence[MoleculeView]) -> FloatArray:
        """Molecules as vectors of the decoder's space, [B, Q + R, D]."""
        return self._bridge.tokens(views)

    def words(self, tokens: Sequence[int]) -> FloatArray:
        """Tokens as vectors, [B] -> [B, D]."""
        return take_rows(self._embeddings, np.array(tokens))

    def embed(self, prompts: Sequence[Prompt]) -> tuple[FloatArray, NDArray[np.int64]]:
        """Prompts as vectors, [B, longest, D] padded on the right, and their lengths, [B]."""
        lengths = np.array([len(prompt.ids) for prompt in prompts])
        width = self._manifest.decoder.width
        embeds = np.zeros((len(prompts), lengths.max(), width), np.float32)
        for row, prompt in zip(embeds, prompts, strict=True):
            row[: len(prompt.ids)] = take_rows(self._embeddings, prompt.ids)
            row[: len(prompt.ids)][prompt.ids == self._manifest.graph_token_id] = prompt.vectors
        return embeds, lengths

    def _encode(self, smiles: str) -> list[int]:
        manifest = self._manifest
        return manifest.prompt.encode(self._tokenizer, smiles, manifest.max_prompt_tokens)

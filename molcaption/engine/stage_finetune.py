"""Stage 2: bridge and backbone learn together to write the caption."""

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from molcaption.data.batching import token_batches
from molcaption.data.collate import IGNORE, prompt_batch, to_device, training_batch
from molcaption.data.examples import ExampleDataset
from molcaption.engine.loop import Evaluation
from molcaption.metrics.text import bleu, bleu_counts
from molcaption.metrics.tokenizers import split_words
from molcaption.nn.captioner import Captioner

_SHOWN = 8


class FinetuneObjective(nn.Module):
    """Cross-entropy on the description's tokens and its end.

    Args:
        captioner: what requires gradients is trained.
        references: the descriptions of ``dev``, to compare captions with.
        captioned: how many of ``dev`` are captioned at each evaluation.
    """

    def __init__(
        self,
        captioner: Captioner,
        train: ExampleDataset,
        dev: ExampleDataset,
        *,
        tokenizer: Tokenizer,
        references: Sequence[str],
        pad: int,
        end_ids: Sequence[int],
        max_new_tokens: int,
        no_repeat_ngram: int,
        batch_tokens: int,
        bridge_lr: float,
        word_dropout: float,
        seed: int,
        captioned: int = 64,
    ) -> None:
        super().__init__()
        self.captioner = captioner
        self._train, self._dev = train, dev
        self._tokenizer = tokenizer
        self._references = references
        self._pad = pad
        self._end_ids = list(end_ids)
        self._max_new_tokens = max_new_tokens
        self._no_repeat_ngram = no_repeat_ngram
        self._batch_tokens = batch_tokens
        self._bridge_lr = bridge_lr
        self._word_dropout = word_dropout
        self._seed = seed
        self._captioned = min(captioned, len(dev))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `Objective`."""
        bridge = [p for p in self.captioner.bridge.parameters() if p.requires_grad]
        llm = [p for p in self.captioner.llm.parameters() if p.requires_grad]
        return [{"params": llm}, {"params": bridge, "lr": self._bridge_lr}]

    def batches(self, epoch: int) -> list[list[int]]:
        """See `Objective`."""
        return token_batches(
            self._train.lengths(epoch), self._batch_tokens, seed=self._seed, epoch=epoch
        )

    def collate(self, indices: Sequence[int], epoch: int) -> dict[str, Any]:
        """See `Objective`."""
        examples = self._train.epoch(epoch)
        return training_batch([examples[i] for i in indices], self._pad)

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Losses of one batch."""
        if self.training and self._word_dropout:
            batch = {**batch, "input_ids": self._blanked(batch)}
        return {"loss": self.captioner(**batch)}

    def _blanked(self, batch: dict[str, Tensor]) -> Tensor:
        """``input_ids`` with some of the description's tokens replaced by the end token.

        Never seen there otherwise, it stands for any word: who cannot read on from the words before
        has to look at the molecule (word dropout: Bowman et al., "Generating Sentences from a
        Continuous Space", CoNLL 2016, section 3.1).
        """
        ids = batch["input_ids"]
        chosen = torch.rand(ids.shape, device=ids.device) < self._word_dropout
        return torch.where(chosen & (batch["labels"] != IGNORE), self._end_ids[0], ids)

    def evaluate(self) -> Evaluation:
        """Loss over dev, BLEU-4 (words) of some greedy captions, and a few of them to read."""
        captions = self._captions()
        references = list(self._references[: len(captions)])
        counts = bleu_counts(split_words(captions), split_words(references)).sum(0)
        samples = [
            f"caption: {caption} | description: {reference}"
            for caption, reference in zip(captions[:_SHOWN], references, strict=False)
        ]
        return Evaluation({"loss": self._dev_loss(), "bleu4": bleu(counts, 4)}, samples)

    def _dev_loss(self) -> float:
        total, count = 0.0, 0
        examples = self._dev.epoch(0)
        for indices in token_batches(self._dev.lengths(0), self._batch_tokens, seed=0, epoch=0):
            batch = training_batch([examples[i] for i in indices], self._pad)
            tokens = int((batch["labels"] != IGNORE).sum())
            total += float(self(to_device(batch, self._device))["loss"]) * tokens
            count += tokens
        return total / count

    def _captions(self) -> list[str]:
        captions: list[str] = []
        for start in range(0, self._captioned, 32):
            stop = min(start + 32, self._captioned)
            batch = prompt_batch(self._dev.epoch(0)[start:stop], self._pad)
            tokens = self.captioner.generate(
                **to_device(batch, self._device),
                max_new_tokens=self._max_new_tokens,
                no_repeat_ngram=self._no_repeat_ngram,
                end_ids=self._end_ids,
            )
            captions += self._tokenizer.decode_batch(tokens.tolist(), skip_special_tokens=True)
        return [caption.strip() for caption in captions]

    @property
    def _device(self) -> torch.device:
        return next(self.captioner.bridge.parameters()).device

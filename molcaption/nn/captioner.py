"""Bridge and backbone as one model: graph tokens in a prompt, caption out.

The collator puts the graph token's id where the molecule belongs, so that lengths are known before
the forward pass; here each such place merely gets its vector instead of its embedding row.

Dims: B molecules, Q graph tokens (profile tokens included), T text tokens, D backbone width,
V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LogitsProcessorList, NoRepeatNGramLogitsProcessor

from molcaption.data.collate import IGNORE
from molcaption.errors import BadDataError
from molcaption.nn.bridge import Bridge


class Captioner(nn.Module):
    """A causal language model whose prompt holds projected graph tokens.

    Raises:
        BadDataError: the bridge was made for a backbone of another width.
    """

    def __init__(self, bridge: Bridge, llm: Any, graph_token_id: int) -> None:
        super().__init__()
        ours, theirs = bridge.projector.config.out_width, llm.get_input_embeddings().embedding_dim
        if ours != theirs:
            raise BadDataError(
                f"projector: made for a backbone of width {ours}, but this one is {theirs} wide; "
                "run `molcaption align` with this backbone"
            )
        self.bridge = bridge
        self.llm = llm
        self.graph_token_id = graph_token_id

    def embed(self, input_ids: Tensor, molecules: Mapping[str, Any]) -> Tensor:
        """Token embeddings [B, T, D] with the graph tokens in their places.

        Args:
            molecules: arguments of the bridge.

        Raises:
            ValueError: the prompt's graph tokens are not Q a molecule.
        """
        embeddings: Tensor = self.llm.get_input_embeddings()(input_ids)
        vectors = self.bridge(**molecules).flatten(0, 1).to(embeddings.dtype)  # [B * Q, D]
        places = input_ids == self.graph_token_id  # [B, T]
        if int(places.sum()) != len(vectors):
            raise ValueError(f"{int(places.sum())} graph tokens in ids for {len(vectors)} vectors")
        return embeddings.masked_scatter(places.unsqueeze(-1), vectors)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        molecules: Mapping[str, Any],
    ) -> Tensor:
        """Mean cross-entropy over the labelled positions (``labels`` [B, T], -100 = none)."""
        # Logits are the largest tensor of the step: none before the first caption of the batch.
        first = int((labels != IGNORE).any(0).nonzero()[0])
        kept = labels.shape[1] - first + 1
        output = self.llm(
            inputs_embeds=self.embed(input_ids, molecules),
            attention_mask=attention_mask,
            logits_to_keep=kept,
            use_cache=False,
        )
        return next_token_loss(output.logits, labels[:, -kept:])

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        molecules: Mapping[str, Any],
        *,
        max_new_tokens: int,
        no_repeat_ngram: int,
        end_ids: Sequence[int],
    ) -> Tensor:
        """Greedy new tokens [B, T]; prompts must be padded on the left."""
        tokens: Tensor = self.llm.generate(
            inputs_embeds=self.embed(input_ids, molecules),
            attention_mask=attention_mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=list(end_ids),
            pad_token_id=end_ids[0],
            # Its row is a place-holder that was never trained.
            suppress_tokens=[self.graph_token_id],
            logits_processor=repeat_rule(no_repeat_ngram),
        )
        return tokens


def repeat_rule(n: int) -> LogitsProcessorList:
    """No run of ``n`` new tokens twice in a caption; none at all for 0.

    Given as a processor because ``generate``'s own option warns that the prompt is not looked at.
    """
    return LogitsProcessorList([NoRepeatNGramLogitsProcessor(n)] if n else [])


def next_token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each labelled token given those before it, in float32.

    Shapes: logits [B, T, V], labels [B, T] -> scalar.
    """
    following = labels[:, 1:]
    kept = following != IGNORE
    return F.cross_entropy(logits[:, :-1][kept].float(), following[kept])

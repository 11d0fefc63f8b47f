"""A byte-level BPE of one's own, for backbones that are trained from scratch.

Text is cut at white space only, so that merges may cross the punctuation of chemical names and of
SMILES ("-2-yl", "C(=O)N"): on the captions' training set this halves the tokens of a SMILES against
the usual letter/digit/punctuation cut, and every token less is time saved in each training step.
Tokens are kept short (``_MAX_TOKEN_CHARS``), because a token that swallows half a molecule hides
its atoms from the model.
"""

from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from molcaption.data.prompt import ASSISTANT, END, FIXED, GRAPH_TOKEN, PAD, USER

_MAX_TOKEN_CHARS = 12


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Byte-level BPE over ``texts`` with the turn markers and the graph token as special tokens.

    The prompt's fixed parts are one token each, beyond ``vocab_size``: spelt out, they would be a
    sixth of all that a training step computes.
    """
    tokenizer = Tokenizer(models.BPE())
    # An optional leading blank belongs to the word, as in GPT-2, so that decoding is lossless.
    words = pre_tokenizers.Split(Regex(r" ?[^\s]+|\s"), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, END, USER, ASSISTANT, GRAPH_TOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=_MAX_TOKEN_CHARS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(part, normalized=False) for part in FIXED])
    return tokenizer

"""Text as a bag of hashed words, for the text side of the encoder's contrast.

Hashing needs no vocabulary, so an encoder can be trained before there is a backbone or a tokenizer.
CRC-32, because Python's own ``hash`` differs from process to process.
"""

import re
import zlib
from itertools import pairwise

BUCKETS = 16384
_WORD = re.compile(r"[a-z]+|\d+|[^\sa-z\d]")


def hashed_words(text: str) -> list[int]:
    """Buckets of the distinct words and word pairs of ``text``; never empty."""
    words = _WORD.findall(text.lower())
    pairs = [f"{a} {b}" for a, b in pairwise(words)]
    found = {zlib.crc32(word.encode()) % BUCKETS for word in [*words, *pairs]}
    return sorted(found) or [0]

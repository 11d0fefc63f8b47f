"""Chemical claims: what a caption says about a structure, and whether the structure agrees.

The knowledge is data (``lexicon.yaml``); this code matches, parses and judges. No torch here.
"""

from molcaption.claims.lexicon import Lexicon, group_counts, load_lexicon

__all__ = ["Lexicon", "group_counts", "load_lexicon"]

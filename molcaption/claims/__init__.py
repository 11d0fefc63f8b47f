"""Chemical claims: what a caption says about a structure, and whether the structure agrees.

The knowledge is data (``concepts/``); this code matches, parses and judges. No torch here.
"""

from molcaption.claims.facts import Fact, facts
from molcaption.claims.lexicon import Lexicon, load_lexicon
from molcaption.claims.profile import Profile, concepts_of, profile
from molcaption.claims.structure import Structure
from molcaption.claims.verify import CaptionCheck, check_against, check_caption, settle

__all__ = [
    "CaptionCheck",
    "Fact",
    "Lexicon",
    "Profile",
    "Structure",
    "check_against",
    "check_caption",
    "concepts_of",
    "facts",
    "load_lexicon",
    "profile",
    "settle",
]

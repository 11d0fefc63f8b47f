"""Claims marked in the text of a caption, with their verdicts for eyes, pointers and readers."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from molcaption.claims.lexicon import Lexicon
from molcaption.claims.verify import CaptionCheck, Claim
from molcaption.report.markup import Html, join, tag

MAX_TEXT = 3_000  # characters shown; ChEBI's longest description has about 2,000
MAX_ID = 100
SHOWN = ("contradicted", "supported")  # where claims overlap, the first verdict colours the text
WORDS = {"contradicted": "refuted", "supported": "supported"}


def concept_name(concept: str | None, lexicon: Lexicon) -> str:
    """How people call a concept: what it says, or its id if it has no words of its own."""
    entry = lexicon.concepts.get(concept or "")
    return (entry.say if entry else str(concept)).replace("_", " ")


def describe(claim: Claim, lexicon: Lexicon) -> str:
    """Concept, expected and found of a judged claim, in a few words."""
    filled = " ".join((claim["expected"] or "").split())  # a pattern's empty groups leave spaces
    expected = "none" if claim["polarity"] == "negative" else filled
    found = "nothing known" if claim["found"] is None else claim["found"]
    return f"{concept_name(claim['concept'], lexicon)}: expected {expected}, found {found}"


def short_id(id: str) -> str:
    """An id that leaves the page its shape, whatever it is."""
    return id if len(id) <= MAX_ID else f"{id[:MAX_ID]}…"


def refuted_claims(check: CaptionCheck | None, lexicon: Lexicon) -> Html | None:
    """What the structure refutes, as a list; None if nothing."""
    said = dict.fromkeys(describe(claim, lexicon) for claim in claims_of(check, "contradicted"))
    if not said:
        return None
    items = [tag("li", text) for text in said]
    return tag("div", tag("h4", "Refuted"), tag("ul", *items), class_="refuted-claims")


def claims_of(check: CaptionCheck | None, verdict: str) -> list[Claim]:
    """The claims with that verdict, in the order of the text."""
    return [] if check is None else [c for c in check.claims if c["verdict"] == verdict]


def marked(caption: str, check: CaptionCheck | None, lexicon: Lexicon) -> Html:
    """``caption`` with a <mark> around each judged stretch.

    Claims overlap ("dihydroxybenzoic acid" holds three), and elements must not: the text is cut
    wherever a claim starts or ends, and each piece is marked with all claims that cover it.
    """
    shown = caption[:MAX_TEXT]
    claims = [claim for verdict in SHOWN for claim in claims_of(check, verdict)]
    pieces = [_piece(part, over, lexicon) for part, over in _pieces(shown, claims)]
    rest = len(caption) - len(shown)
    return join(*pieces, tag("i", f" … and {rest:,} more characters") if rest else None)


def _pieces(caption: str, claims: Sequence[Claim]) -> Iterator[tuple[str, list[Claim]]]:
    edges = {edge for claim in claims for edge in (claim["start"], claim["end"])}
    cuts = sorted({0, len(caption), *(edge for edge in edges if 0 < edge < len(caption))})
    for start, end in pairwise(cuts):
        over = [claim for claim in claims if claim["start"] <= start and end <= claim["end"]]
        yield caption[start:end], over


def _piece(part: str, claims: Sequence[Claim], lexicon: Lexicon) -> Html:
    if not claims:
        return join(part)
    said = [f"{WORDS[claim['verdict']]}: {describe(claim, lexicon)}" for claim in claims]
    kind = WORDS[claims[0]["verdict"]]
    heard = tag("span", f" ({kind}) ", class_="heard")  # a list below the text says more
    return tag("mark", part, heard, class_=kind, title="; ".join(dict.fromkeys(said)))

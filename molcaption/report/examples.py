"""The worst and the best captions, each beside its molecule, with what was refuted in it."""

from collections.abc import Iterable, Sequence

from rdkit import Chem

from molcaption.chem.molecule import InvalidMolecule, parse_smiles
from molcaption.claims.lexicon import Lexicon
from molcaption.claims.verify import Claim
from molcaption.metrics.scorecard import ScoreRow
from molcaption.report.drawing import atoms_of, draw
from molcaption.report.marks import MAX_TEXT, claims_of, concept_name, describe, marked
from molcaption.report.markup import Html, tag
from molcaption.report.tables import name_of, shown

SHOWN = 20
MAX_ID = 100  # characters
HEADLINE = "bleu4"
ORDER = "By sentence BLEU-4, then by refuted claims and bits; empty captions are not shown."


def extremes(rows: Sequence[ScoreRow]) -> tuple[list[ScoreRow], list[ScoreRow]]:
    """The worst and the best rows, the most extreme first; no row is in both.

    By sentence BLEU-4; where that is equal, by refuted claims and then by bits. Empty captions
    are left out: their number is in the head of the page, and there is nothing to see.
    """
    written = sorted((row for row in rows if row.caption.strip()), key=_merit)
    half = len(written) // 2
    worst = written[: min(SHOWN, half)]
    best = written[max(half, len(written) - SHOWN) :]
    return worst, best[::-1]


def _merit(row: ScoreRow) -> tuple[float, int, float]:
    refuted, bits = (row.check.n_contradicted, row.check.validity_bits) if row.check else (0, 0.0)
    return row.scores.get(HEADLINE, 0.0), -refuted, bits


def cards(rows: Iterable[ScoreRow], lexicon: Lexicon) -> Html:
    """One card a row: molecule, scores, marked caption, refuted claims and reference."""
    return tag("ol", *[_card(row, lexicon) for row in rows], class_="cards")


def _card(row: ScoreRow, lexicon: Lexicon) -> Html:
    name = row.id if len(row.id) <= MAX_ID else f"{row.id[:MAX_ID]}…"
    refuted = claims_of(row.check, "contradicted")
    return tag(
        "li",
        tag("h3", tag("bdi", name)),
        _scores(row),
        _picture(row, name, lexicon) if row.smiles is not None else None,
        tag(
            "div",
            tag("h4", "Caption"), tag("p", marked(row.caption, row.check, lexicon)),
            _refuted(refuted, lexicon) if refuted else None,
            tag("h4", "Reference"), tag("p", marked(row.reference, None, lexicon)),
            class_="words",
        ),
    )  # fmt: skip


def _scores(row: ScoreRow) -> Html:
    said = [f"{name_of(key)} {shown(value)}" for key, value in row.scores.items()]
    if row.check is not None:
        check = row.check
        said.append(f"{check.n_supported} supported, {check.n_contradicted} refuted")
        said.append(f"{check.validity_bits:.1f} bits")
    return tag("p", " · ".join(said), class_="scores")


def _refuted(claims: Sequence[Claim], lexicon: Lexicon) -> Html:
    said = dict.fromkeys(describe(claim, lexicon) for claim in claims)
    items = [tag("li", text) for text in said]
    return tag("div", tag("h4", "Refuted"), tag("ul", *items), class_="refuted-claims")


def _picture(row: ScoreRow, name: str, lexicon: Lexicon) -> Html:
    smiles = str(row.smiles)
    try:
        mol = parse_smiles(smiles)
        highlights, note = _highlights(mol, row, lexicon)
        drawn = draw(mol, f"Structure of {name}. {note}", highlights)
    except (InvalidMolecule, ValueError) as error:
        drawn, note = tag("p", f"Not drawn: {error}.", class_="missing"), ""
    code = tag("code", smiles if len(smiles) <= MAX_TEXT else f"{smiles[:MAX_TEXT]}…")
    return tag(
        "figure", drawn, tag("figcaption", note, tag("details", tag("summary", "SMILES"), code))
    )


def _highlights(mol: Chem.Mol, row: ScoreRow, lexicon: Lexicon) -> tuple[dict[int, str], str]:
    """Atoms by verdict, and in words what they are: the picture must not speak in colour alone."""
    supported = claims_of(row.check, "supported")
    contradicted = claims_of(row.check, "contradicted")
    refuted = [claim for claim in contradicted if claim["found"] not in (None, "0")]
    atoms: dict[int, str] = {}
    words = []
    for verdict, claims in (("supported", supported), ("refuted", refuted)):
        concepts = dict.fromkeys(c["concept"] for c in claims if c["concept"])
        found = {concept: atoms_of(mol, concept, lexicon) for concept in concepts}
        atoms |= {index: verdict for indices in found.values() for index in indices}
        if named := [concept_name(concept, lexicon) for concept, at in found.items() if at]:
            words.append(f"{_MEANING[verdict]}: {', '.join(named)}.")
    if len(refuted) < len(contradicted):
        words.append("What the structure lacks cannot be highlighted.")
    return atoms, " ".join(words)


_MEANING = {"supported": "Green, supported", "refuted": "Red, there but not as claimed"}

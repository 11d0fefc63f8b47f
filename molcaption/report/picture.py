"""A molecule with the atoms of its caption's claims, and in words what they are."""

from rdkit import Chem

from molcaption.chem.molecule import InvalidMolecule, parse_smiles
from molcaption.claims.atoms import atoms_of
from molcaption.claims.lexicon import Lexicon
from molcaption.claims.verify import CaptionCheck
from molcaption.report.drawing import draw
from molcaption.report.marks import MAX_TEXT, claims_of, concept_name
from molcaption.report.markup import Html, tag

_MEANING = {"supported": "Blue, supported", "refuted": "Orange, there but not as claimed"}


def picture(smiles: str, name: str, check: CaptionCheck | None, lexicon: Lexicon) -> Html:
    """The structure as a <figure>; where it cannot be drawn, a line that says why.

    Args:
        name: of the molecule, for screen readers.
    """
    try:
        mol = parse_smiles(smiles)
        highlights, note = _highlights(mol, check, lexicon)
        drawn = draw(mol, f"Structure of {name}. {note}", highlights)
    except (InvalidMolecule, ValueError) as error:
        drawn, note = tag("p", f"Not drawn: {error}.", class_="missing"), ""
    code = tag("code", smiles if len(smiles) <= MAX_TEXT else f"{smiles[:MAX_TEXT]}…")
    return tag(
        "figure", drawn, tag("figcaption", note, tag("details", tag("summary", "SMILES"), code))
    )


def _highlights(
    mol: Chem.Mol, check: CaptionCheck | None, lexicon: Lexicon
) -> tuple[dict[int, str], str]:
    """Atoms by verdict, and in words what they are: the picture must not speak in colour alone."""
    supported = claims_of(check, "supported")
    contradicted = claims_of(check, "contradicted")
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

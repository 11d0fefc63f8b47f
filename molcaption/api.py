"""The captioner in Python: molecules in, captions with their evidence out.

The same path as the command line: records go through `engine.captioning.Captioning` and become
the rows that `molcaption caption` writes (`engine.rows`); a result is one such row with names and
types.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, overload

from rdkit import Chem

from molcaption.chem.molecule import smiles_order
from molcaption.claims import Lexicon, load_lexicon
from molcaption.claims.atoms import atoms_of
from molcaption.data.readers.raw import RawRecord, parse_record
from molcaption.data.writers import MOL_KEY
from molcaption.engine import BATCH_SIZE
from molcaption.engine.captioning import Captioning, LoadedCaptioner, load_captioner
from molcaption.engine.occlusion import atom_losses
from molcaption.engine.rows import make_rows
from molcaption.engine.runtimes import Beams
from molcaption.engine.store import open_store
from molcaption.errors import BadDataError
from molcaption.report.caption_cards import fragment
from molcaption.report.importance import draw_importance
from molcaption.shipped import model_path

AnyMolecule = str | Chem.Mol | None
"""SMILES, RDKit's molecule, or the None that RDKit gives for what it cannot read."""


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """One thing that a caption says about the structure, and what the structure says.

    Attributes:
        text: the words, ``caption[start:end]``.
        concept: id in the lexicon; None for a word that it does not know.
        verdict: supported, contradicted or unchecked.
        reason: why it is unchecked; None otherwise.
        expected, found: how many of it, or the numbers that were claimed and there; None if
            nothing was looked for.
        atoms: indices into the result's ``mol`` of the atoms that make it true; empty for what is
            not there, and for what no substructure shows (a charge, a chain length).
    """

    text: str
    start: int
    end: int
    concept: str | None
    verdict: str
    reason: str | None
    expected: str | None
    found: str | None
    atoms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CaptionedMolecule:
    """A molecule with its caption, or with the reason why it has none.

    Attributes:
        smiles: canonical isomeric SMILES; for what is no molecule the text as it was given.
        caption: None if there is an ``error``.
        confidence: exp of the mean log-probability of the caption's tokens, from 0 to 1; None if
            there is no caption, or it comes from a memory.
        verdict: ok, contradicted (at least one claim is), not_checkable or mol_error.
        claims: in the order of the caption.
        error: what is wrong with the molecule; None if all is well.
        mol: the molecule without explicit hydrogens, its atoms in the order given.
        row: all of it under the names of the columns that ``molcaption caption`` writes.
    """

    smiles: str
    caption: str | None
    confidence: float | None
    verdict: str
    claims: tuple[CheckedClaim, ...]
    error: str | None
    mol: Chem.Mol | None = field(repr=False, compare=False)
    row: Mapping[str, Any] = field(repr=False, compare=False)

    def _repr_html_(self) -> str:
        """Drawing and marked caption, for a notebook."""
        return fragment([self.row], load_lexicon())


class CaptionedMolecules(tuple[CaptionedMolecule, ...]):
    """Results in the order of the molecules; a notebook shows them all."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return fragment([result.row for result in self], load_lexicon())


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which atoms of a molecule its caption rests on (`molcaption.engine.occlusion`).

    Attributes:
        molecule: with its caption.
        log_prob: of the caption, in nats, given the molecule as it is.
        losses: for each atom of ``mol``, how much of that is lost when the atom is hidden;
            below 0 where the caption is likelier without it.
    """

    molecule: CaptionedMolecule
    log_prob: float
    losses: tuple[float, ...]

    @property
    def mol(self) -> Chem.Mol:
        """The molecule whose atoms these are."""
        assert self.molecule.mol is not None  # `Captioner.explain` refuses what has none
        return self.molecule.mol

    def svg(self) -> str:
        """The molecule with its atoms shaded, as an SVG file.

        Raises:
            ValueError: it cannot be drawn.
        """
        return draw_importance(self.mol, self.losses)

    def _repr_svg_(self) -> str:
        return self.svg()


class Captioner:
    """A loaded captioner; make it with `from_pretrained`."""

    def __init__(self, loaded: LoadedCaptioner, lexicon: Lexicon) -> None:
        self._loaded, self._lexicon = loaded, lexicon

    @classmethod
    def from_pretrained(
        cls,
        directory: str | Path | None = None,
        *,
        memory: str | Path | None = None,
        memory_styles: Sequence[str] | None = None,
        draws: int | None = None,
        beams: int = 1,
        length_penalty: float | None = None,
        mend: bool = True,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
        threads: int | None = None,
    ) -> Self:
        """Load a captioner; the options mean what those of ``molcaption caption`` do.

        Args:
            directory: bundle (made by ``export``) or merged model (made by ``merge``), or the name
                of one on the Hugging Face hub; the one that ships if None.

        Raises:
            MissingError: there is no captioner.
            BadDataError: it is damaged, or made by a newer molcaption.
            NoInputError: no such memory.
            UsageError: a length penalty without beams, or one that overflows.
        """
        lexicon = load_lexicon()
        loaded = load_captioner(
            model_path(directory), lexicon, memory=memory, memory_styles=memory_styles,
            draws=draws, beams=Beams.of(beams, length_penalty), mend=mend, batch_size=batch_size,
            max_new_tokens=max_new_tokens, threads=threads,
        )  # fmt: skip
        return cls(loaded, lexicon)

    @overload  # a str is an iterable of str too; the first form is the one that counts
    def caption(  # type: ignore[overload-overlap]
        self, molecules: str | Chem.Mol
    ) -> CaptionedMolecule: ...

    @overload
    def caption(self, molecules: Iterable[AnyMolecule]) -> CaptionedMolecules: ...

    def caption(
        self, molecules: AnyMolecule | Iterable[AnyMolecule]
    ) -> CaptionedMolecule | CaptionedMolecules:
        """Captions of many molecules, or of one; a result for each, in order.

        A molecule that cannot be read raises nothing: its result has an ``error`` and no caption.
        Who captions a thousand compounds in a notebook wants the other 999, in their places, and
        a table of what failed; the output files of the command line do the same.

        Args:
            molecules: SMILES or RDKit molecules (also None, RDKit's own word for a bad SMILES).

        Raises:
            TypeError: something that is neither; no molecule is captioned then.
        """
        if molecules is None or isinstance(molecules, str | Chem.Mol):
            return self._captioned([molecules])[0]
        return self._captioned(list(molecules))

    def explain(self, molecule: CaptionedMolecule) -> Explanation:
        """Which atoms the caption of one molecule rests on; costs as much as a caption an atom.

        Raises:
            BadDataError: there is no caption.
        """
        if molecule.caption is None or molecule.mol is None:
            raise BadDataError(f"{molecule.smiles}: nothing to explain: {molecule.error}")
        log_prob, found = atom_losses(
            self._loaded.runtime, molecule.smiles, molecule.caption, self._lexicon,
            self._loaded.decoding.batch_size,
        )  # fmt: skip
        by_atom = dict(zip(smiles_order(molecule.mol), found, strict=True))
        return Explanation(molecule, log_prob, tuple(by_atom[i] for i in range(len(by_atom))))

    def _captioned(self, molecules: list[AnyMolecule]) -> CaptionedMolecules:
        records = [parse_record(_raw(given, place)) for place, given in enumerate(molecules)]
        with open_store(None, "") as store:
            captioning = Captioning(self._loaded, self._lexicon, store)
            rows = make_rows(records, captioning.captions(records), self._lexicon, "smi")
        return CaptionedMolecules(_result(row, self._lexicon) for row in rows)


def _raw(given: AnyMolecule, place: int) -> RawRecord:
    """What was given as a record."""
    if isinstance(given, str):
        raw = RawRecord("smiles", given)
    elif isinstance(given, Chem.Mol):
        raw = RawRecord("mol", given)
    elif given is None:
        raw = RawRecord("broken", "None, which RDKit gives for what it cannot read")
    else:
        raise TypeError(
            f"molecule {place}: a {type(given).__name__}, expected SMILES or an RDKit molecule"
        )
    raw.record = place
    return raw


def _result(row: dict[str, Any], lexicon: Lexicon) -> CaptionedMolecule:
    mol = row.pop(MOL_KEY)
    return CaptionedMolecule(
        smiles=row["smiles"] or "",
        caption=row["caption"],
        confidence=row["confidence"],
        verdict=row["validity_status"],
        claims=tuple(_claim(claim, mol, lexicon) for claim in row["claims"]),
        error=row["error"],
        mol=mol,
        row=row,
    )


def _claim(claim: Mapping[str, Any], mol: Chem.Mol, lexicon: Lexicon) -> CheckedClaim:
    there = claim["verdict"] != "unchecked" and claim["found"] not in (None, "0")
    atoms = atoms_of(mol, claim["concept"], lexicon) if there else set()
    names = CheckedClaim.__dataclass_fields__.keys() - {"atoms"}
    return CheckedClaim(**{name: claim[name] for name in names}, atoms=tuple(sorted(atoms)))

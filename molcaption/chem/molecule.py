"""One record of the user's input as a molecule, or the reason why it is not one.

Everything that turns text or integer codes into an RDKit mol lies here, so that "what is a valid
molecule" has one answer: RDKit's own sanitisation, strict, with hydrogens removed. A molecule that
RDKit refuses is not repaired: it becomes a `Reject` with RDKit's reason in one line. Only the
reason is fetched by a second parse, so the common case pays nothing for it.
"""

import contextlib
import io
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rdkit import Chem, rdBase

MAX_ATOMS = 1000
"""Most heavy atoms of a molecule. ChEBI's largest has 574; past this a caption means nothing."""

_MAX_SMILES = 100 * MAX_ATOMS
"""Longest SMILES handed to RDKit: 100 characters an atom is far beyond any notation."""

_LOG_LOCK = threading.Lock()

rdBase.DisableLog("rdApp.*")
# By default a molecule forgets its stereo labels and its mol block on the way between processes.
Chem.SetDefaultPickleProperties(Chem.PropertyPickleOptions.AllProps)


class InvalidMolecule(ValueError):
    """The text or graph is not a molecule; ``str(error)`` is the reason, in one line."""


@dataclass(frozen=True, slots=True)
class Molecule:
    """A record that parsed.

    Attributes:
        record: number of the record, from 0 over the whole run, rejects included.
        source: the file as the user gave it.
        id: SDF title or id column; "" if there is none.
        mol: sanitised, hydrogens removed.
        smiles: canonical isomeric SMILES.
        description: the reference text that came with the record, if any.
        properties: SD tags (str) or the table's other columns, in the original order.
    """

    record: int
    source: str
    id: str
    mol: Chem.Mol
    smiles: str
    description: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no molecule; it still becomes a row of the output.

    Attributes:
        reason: one line: what is wrong.
        text: the SMILES as it was written, "" where the input has none.
    """

    record: int
    source: str
    id: str
    reason: str
    text: str = ""
    properties: dict[str, Any] = field(default_factory=dict)


Record = Molecule | Reject
"""What every record of an input becomes."""


def parse_smiles(text: str) -> Chem.Mol:
    """Parse one SMILES, with a ChemAxon extension (``CCO |...|``) if there is one.

    Raises:
        InvalidMolecule: with RDKit's reason; also for no atoms, more than `MAX_ATOMS`, or
            white space inside the SMILES (RDKit would silently drop what follows).
    """
    text = text.strip()
    if not text:
        raise InvalidMolecule("no atoms: the SMILES is empty")
    if len(text) > _MAX_SMILES:
        raise InvalidMolecule(f"SMILES of {len(text)} characters; the limit is {_MAX_SMILES}")
    if "\0" in text:
        raise InvalidMolecule("SMILES holds a NUL character")
    _, _, rest = text.partition(" ")
    if len(text.split(maxsplit=1)) > 1 and not rest.startswith("|"):
        raise InvalidMolecule(f"white space inside the SMILES {_short(text)!r}")
    return _parse(Chem.MolFromSmiles, text)


def parse_molblock(text: str) -> Chem.Mol:
    """Parse one mol block (V2000 or V3000), stereo from coordinates, hydrogens removed.

    Raises:
        InvalidMolecule: with RDKit's reason; also for no atoms or more than `MAX_ATOMS`.
    """
    if not text.strip():
        raise InvalidMolecule("no atoms: the mol block is empty")
    return _parse(Chem.MolFromMolBlock, text)


def plain_mol(mol: Chem.Mol) -> Chem.Mol:
    """A copy as the parsers make it: sanitised, without explicit hydrogens, atoms in their order.

    Raises:
        InvalidMolecule: with RDKit's reason; also for no atoms or more than `MAX_ATOMS`.
    """
    return _parse(lambda _: Chem.RemoveHs(mol), "")


def canonical_smiles(mol: Chem.Mol) -> str:
    """Canonical isomeric SMILES of RDKit.

    Raises:
        InvalidMolecule: RDKit cannot write the molecule.
    """
    try:
        return str(Chem.MolToSmiles(mol))
    except (RuntimeError, ValueError) as error:
        raise InvalidMolecule(f"cannot write SMILES: {_one_line(str(error))}") from error


def smiles_order(mol: Chem.Mol) -> list[int]:
    """Indices of the atoms in the order in which `canonical_smiles` writes them."""
    canonical_smiles(mol)
    order = mol.GetPropsAsDict(includePrivate=True, includeComputed=True)["_smilesAtomOutputOrder"]
    return list(order)


def inchikey(mol: Chem.Mol) -> str | None:
    """Standard InChIKey, or None where InChI has none (dummy atoms, over 1,023 atoms)."""
    try:
        return str(Chem.MolToInchiKey(mol)) or None
    except (RuntimeError, ValueError):
        return None


def check_size(mol: Chem.Mol) -> None:
    """Refuse a mol without atoms or with more than `MAX_ATOMS` heavy ones.

    Raises:
        InvalidMolecule: naming the limit.
    """
    if mol.GetNumAtoms() == 0:
        raise InvalidMolecule("no atoms")
    heavy = mol.GetNumHeavyAtoms()
    if heavy > MAX_ATOMS:
        raise InvalidMolecule(f"{heavy} heavy atoms; the limit is {MAX_ATOMS}")


def _parse(parser: Callable[[str], Chem.Mol | None], text: str) -> Chem.Mol:
    try:
        mol = parser(text)
    except (RuntimeError, ValueError) as error:  # RDKit's invariants and text encoding
        raise InvalidMolecule(_one_line(str(error)) or "RDKit cannot read it") from error
    if mol is None:
        raise InvalidMolecule(_reason(parser, text))
    check_size(mol)
    return mol


def _reason(parser: Callable[[str], Chem.Mol | None], text: str) -> str:
    """RDKit reports only through its log, so parse again and listen."""
    log = _rdkit_log(parser, text)
    if position := re.search(r"check for mistakes around position (\d+)", log):
        return f"SMILES syntax error near position {position[1]} of {_short(text)!r}"
    # Only stamped lines are messages; stack traces and what other threads print are not.
    messages = re.findall(r"^\[\d\d:\d\d:\d\d\] (.*\S.*)$", log, flags=re.MULTILINE)
    if not messages:
        return "RDKit cannot read it and gives no reason"
    return _short(_one_line(messages[-1]), 200)


def _rdkit_log(parser: Callable[[str], Chem.Mol | None], text: str) -> str:
    """Run the parser and return what RDKit logs meanwhile; silence it again afterwards."""
    heard = io.StringIO()
    with _LOG_LOCK, contextlib.redirect_stderr(heard):
        rdBase.LogToPythonStderr()
        for level in ("rdApp.error", "rdApp.warning"):
            rdBase.EnableLog(level)
        try:
            parser(text)
        except (RuntimeError, ValueError) as error:
            heard.write(f"\n[00:00:00] {_one_line(str(error))}\n")
        finally:
            rdBase.LogToCppStreams()
            rdBase.DisableLog("rdApp.*")
    return heard.getvalue()


def _one_line(message: str) -> str:
    """Strip RDKit's prefix, echoed input and stack trace."""
    message = " ".join(message.split()).removeprefix("SMILES Parse Error: ")
    return re.split(r" for input:|Stacktrace|Violation occurred on line", message)[0].strip()


def _short(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

"""Which atoms a caption rests on: hide each in turn, and see what the caption loses.

The occlusion of Zeiler and Fergus ("Visualizing and Understanding Convolutional Networks", ECCV
2014, section 4.2), for molecules. A hidden atom becomes SMILES' own sign for an unknown one, ``*``,
in graph, features and prompt, so none of them tells its element, charge, hydrogens or chirality. To
delete it instead would leave its neighbours with open valences and broken rings, and what they lose
would be counted as the atom's. The bonds stay as connections.
"""

import re

from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import Lexicon
from molcaption.engine.questions import Question, questions
from molcaption.engine.runtimes import Runtime

_ATOM = re.compile(r"\[[^]]*]|Br|Cl|[A-Za-z*]")
"""An atom as SMILES writes it; outside of brackets no other letter stands."""


def atom_losses(
    runtime: Runtime, smiles: str, caption: str, lexicon: Lexicon, batch_size: int
) -> tuple[float, list[float]]:
    """The caption's log-probability, and what it loses when each atom is hidden, both in nats.

    Args:
        smiles: canonical; the losses are in the order of its atoms, [N]. One below 0 means that
            the caption is likelier without the atom.
    """
    asked = [
        *questions([smiles], runtime.vocabulary, lexicon),
        *occluded(smiles, runtime, lexicon),
    ]
    whole, *hidden = runtime.score(asked, caption, batch_size=batch_size)
    return whole, [whole - score for score in hidden]


def occluded(smiles: str, runtime: Runtime, lexicon: Lexicon) -> list[Question]:
    """What ``runtime`` is asked where each atom of ``smiles`` is hidden, in their order.

    The prompt has the SMILES as it was, but for the atom. As a structure that cannot always be read
    (RDKit finds no Kekulé form for some rings with ``*``), so graph and features are made of the
    molecule, whose Kekulé form is known.
    """
    mol = Chem.RWMol(parse_smiles(smiles))
    Chem.Kekulize(mol, clearAromaticFlags=True)
    structures = [_without(mol, i) for i in range(mol.GetNumAtoms())]
    texts = [f"{smiles[: at.start()]}*{smiles[at.end() :]}" for at in _ATOM.finditer(smiles)]
    asked = questions(structures, runtime.vocabulary, lexicon)
    return [(view, text) for (view, _), text in zip(asked, texts, strict=True)]


def _without(mol: Chem.RWMol, index: int) -> str:
    hidden = Chem.RWMol(mol)
    hidden.ReplaceAtom(index, Chem.Atom(0))
    return Chem.MolToSmiles(hidden, kekuleSmiles=True)

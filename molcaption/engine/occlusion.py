"""Which atoms a caption rests on: hide each in turn, and see what the caption loses.

The occlusion of Zeiler and Fergus ("Visualizing and Understanding Convolutional Networks", ECCV
2014, section 4.2), for molecules. A hidden atom becomes SMILES' own sign for an unknown one, ``*``:
graph, features and prompt are made anew of that SMILES, so none of them tells the atom's element,
charge, hydrogens or chirality. To delete it instead would leave its neighbours with open valences
and broken rings, and what they lose would be counted as the atom's. The bonds stay as connections.
"""

import re

from molcaption.claims import Lexicon
from molcaption.engine.questions import questions
from molcaption.engine.runtimes import Runtime

_ATOM = re.compile(r"\[[^]]*]|Br|Cl|[A-Za-z*]")
"""An atom as SMILES writes it; outside of brackets no other letter stands."""


def occluded(smiles: str) -> list[str]:
    """``smiles`` once for each of its atoms, in their order, with ``*`` in that atom's place."""
    atoms = _ATOM.finditer(smiles)
    return [f"{smiles[: atom.start()]}*{smiles[atom.end() :]}" for atom in atoms]


def atom_losses(
    runtime: Runtime, smiles: str, caption: str, lexicon: Lexicon, batch_size: int
) -> tuple[float, list[float]]:
    """The caption's log-probability, and what it loses when each atom is hidden, both in nats.

    Args:
        smiles: canonical; the losses are in the order of its atoms, [N]. One below 0 means that
            the caption is likelier without the atom.
    """
    asked = questions([smiles, *occluded(smiles)], runtime.vocabulary, lexicon)
    whole, *hidden = runtime.score(asked, caption, batch_size=batch_size)
    return whole, [whole - score for score in hidden]

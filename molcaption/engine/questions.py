"""From molecules to what a captioner is asked: graph, SMILES and the evidence of its prompt."""

from collections.abc import Sequence

from molcaption.chem.graph import Graph, featurise
from molcaption.chem.molecule import parse_smiles
from molcaption.claims import Lexicon
from molcaption.data.hints import Hinter
from molcaption.data.memory import Memory, profiles_of, vector
from molcaption.data.prompt import PromptTemplate, Subject

Question = tuple[Graph, Subject]
"""A molecule's graph, and what its prompt says."""


def questions(
    smiles: Sequence[str],
    prompt: PromptTemplate,
    hinter: Hinter | None,
    memory: Memory | None,
    lexicon: Lexicon,
) -> list[Question]:
    """One question per molecule, in order.

    Args:
        smiles: canonical. The graph is made of it, as in training: a caption must not depend on
            the order in which a file lists the atoms, and chirality tags do.
        hinter, memory: where a captioner has one and its prompt shows what comes of it.
    """
    mols = [parse_smiles(text) for text in smiles]
    graphs = [featurise(mol) for mol in mols]
    hinter = hinter if prompt.hints else None
    memory = memory if prompt.neighbours else None
    if hinter is None and memory is None:
        return [(graph, Subject(text)) for graph, text in zip(graphs, smiles, strict=True)]
    asked = []
    for text, mol, graph, found in zip(
        smiles, mols, graphs, profiles_of(smiles, lexicon), strict=True
    ):
        hints = hinter.hints(found, prompt.hints) if hinter else ()
        near = memory.neighbours(vector(mol, found), prompt.neighbours) if memory else ()
        asked.append((graph, Subject(text, hints, near)))
    return asked

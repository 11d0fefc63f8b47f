"""Write drugs.sdf beside this script: well-known drugs to try the captioner on.

python examples/make_drugs.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rdkit.Chem.Descriptors import MolWt
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molcaption.chem.molecule import canonical_smiles, parse_smiles
from molcaption.data.writers import MOL_KEY, open_writer

DRUGS = {
    "aspirin": ("CC(=O)Oc1ccccc1C(=O)O", "analgesic, platelet inhibitor"),
    "paracetamol": ("CC(=O)Nc1ccc(O)cc1", "analgesic"),
    "ibuprofen": ("CC(C)Cc1ccc(cc1)C(C)C(=O)O", "anti-inflammatory"),
    "naproxen": ("COc1ccc2cc(ccc2c1)[C@H](C)C(=O)O", "anti-inflammatory"),
    "caffeine": ("Cn1cnc2c1c(=O)n(C)c(=O)n2C", "stimulant"),
    "morphine": ("CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5", "opioid analgesic"),
    "lidocaine": ("CCN(CC)CC(=O)Nc1c(C)cccc1C", "local anaesthetic"),
    "diazepam": ("CN1c2ccc(Cl)cc2C(=NCC1=O)c1ccccc1", "anxiolytic"),
    "fluoxetine": ("CNCCC(Oc1ccc(cc1)C(F)(F)F)c1ccccc1", "antidepressant"),
    "propranolol": ("CC(C)NCC(O)COc1cccc2ccccc12", "beta blocker"),
    "metformin": ("CN(C)C(=N)NC(=N)N", "antidiabetic"),
    "omeprazole": ("COc1ccc2[nH]c(nc2c1)S(=O)Cc1ncc(C)c(OC)c1C", "proton pump inhibitor"),
    "amoxicillin": (
        "CC1(C)S[C@@H]2[C@H](NC(=O)[C@H](N)c3ccc(O)cc3)C(=O)N2[C@H]1C(=O)O",
        "antibiotic",
    ),
    "ciprofloxacin": ("O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O", "antibiotic"),
    "isoniazid": ("NNC(=O)c1ccncc1", "antitubercular"),
    "warfarin": ("CC(=O)CC(c1ccccc1)c1c(O)c2ccccc2oc1=O", "anticoagulant"),
    "dexamethasone": (
        "C[C@@H]1C[C@H]2[C@@H]3CCC4=CC(=O)C=C[C@]4(C)[C@@]3(F)[C@@H](O)C[C@]2(C)[C@@]1(O)C(=O)CO",
        "glucocorticoid",
    ),
    "testosterone": ("C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O", "androgen"),
    "sildenafil": (
        "CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(ccc1OCC)S(=O)(=O)N1CCN(C)CC1",
        "PDE5 inhibitor",
    ),
    "imatinib": (
        "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(n1)-c1cccnc1",
        "kinase inhibitor",
    ),
    "sodium valproate": ("CCCC(CCC)C(=O)[O-].[Na+]", "anticonvulsant"),
}
"""Name: SMILES and what it is used for."""


def rows() -> Iterator[dict[str, Any]]:
    """One row a drug: title, mol, and three tags."""
    for name, (smiles, use) in DRUGS.items():
        mol = parse_smiles(smiles)
        tags = {"FORMULA": CalcMolFormula(mol), "WEIGHT": f"{MolWt(mol):.2f}", "USE": use}
        yield {"id": name, MOL_KEY: mol, "SMILES": canonical_smiles(mol), **tags}


if __name__ == "__main__":
    columns = "FORMULA,WEIGHT,USE"
    with open_writer(Path(__file__).with_name("drugs.sdf"), columns=columns) as writer:
        writer.write(list(rows()))

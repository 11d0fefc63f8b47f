import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon, profile
from molcaption.claims.predicates import _MODULES as MODULES
from molcaption.claims.predicates import PREDICATES
from molcaption.data.wording import a_or_an
from molcaption.errors import BadDataError, NoInputError
from molcaption.lexicon import base_rates, check

LEXICON = load_lexicon()


def test_every_example_holds():
    report = check()  # raises with the entries that fail
    assert report.n_concepts == len(LEXICON.concepts)
    assert report.n_examples >= 2 * report.n_concepts


def test_a_predicate_is_defined_once():
    assert len(PREDICATES) == sum(len(module.PREDICATES) for module in MODULES)


def test_every_entry_names_its_source():
    assert [c.id for c in LEXICON.concepts.values() if not c.source] == []


def test_a_name_belongs_to_one_concept():
    seen = {}
    for concept in LEXICON.concepts.values():
        for name in concept.names:
            assert seen.setdefault(name.lower(), concept.id) == concept.id, name


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", {"acetate_ester": 1, "benzoic_acid": 1, "phenol": 0}),
        ("OCC(O)CO", {"primary_alcohol": 2, "secondary_alcohol": 1, "hydroxy": 3}),
        ("C[N+](C)(C)CC(=O)[O-]", {"zwitterion": 1, "quaternary_ammonium": 1}),
        ("O=[N+]([O-])c1ccccc1", {"zwitterion": 0, "nitrobenzene": 1}),
        ("CN.Cl", {"hydrochloride": 1, "salt": 1}),
        ("[Na+].[Cl-]", {"hydrochloride": 0, "organic_cation": 0, "salt": 1}),
        ("O", {"hydrate": 0}),
        ("C1CCC2(CC1)OCCO2", {"bicyclic_hetero": 1, "spiro": 1}),
    ],
)
def test_counts(smiles, expected):
    counts = profile(parse_smiles(smiles), LEXICON).counts
    assert {key: counts.get(key, 0) for key in expected} == expected


def test_what_an_entry_says_is_true_of_its_examples():
    """One entry's name on its own molecule must not be refuted by another entry."""
    refuted = []
    for concept in LEXICON.concepts.values():
        for example in concept.positives[:1] if concept.names else ():
            mol = parse_smiles(example.partition(" | ")[0])
            claims = check_caption(mol, f"It is {a_or_an(concept.say)}.", LEXICON).claims
            refuted += [(concept.id, c) for c in claims if c["verdict"] == "contradicted"]
    assert refuted == []


def test_counts_come_in_the_order_of_the_lexicon():
    counts = profile(parse_smiles("CC(=O)Oc1ccccc1C(=O)O"), LEXICON).counts
    assert list(counts) == [key for key in LEXICON.concepts if key in counts]


def test_user_lexicon_adds_and_replaces(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "- {id: alcohol, names: [alcohol], smarts: '[OX2H1]', pos: [O], neg: [C]}\n"
        "- {id: xenon, names: [xenon compound], smarts: '[Xe]', pos: ['[Xe]'], neg: [C]}\n"
    )
    mine = load_lexicon(file)
    assert mine.hash != LEXICON.hash
    assert len(mine.concepts) == len(LEXICON.concepts) + 1
    assert profile(parse_smiles("Oc1ccccc1"), mine).counts["alcohol"] == 1
    assert "alcohol" not in profile(parse_smiles("Oc1ccccc1"), LEXICON).counts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {id: a, names: [a], smarts: '[', pos: [C], neg: [O]}", "cannot read the SMARTS"),
        ("- {id: a, names: [a], builtin: [nope], pos: [C], neg: [O]}", "no builtin 'nope'"),
        ("- {id: a, names: [a], smart: C}", "unknown key 'smart'"),
        ("- {id: a, names: [a]}", "exactly one of smarts, skeleton, builtin, or parents"),
        ("- {id: a, names: [a], smarts: C, parents: [zz]}", "no parent 'zz'"),
        (
            "- {id: a, names: [a], smarts: C, parents: [b]}\n"
            "- {id: b, names: [b], smarts: C, parents: [a]}",
            "its own ancestor",
        ),
        ("- {id: a, names: [a], smarts: C}\n- {id: a, names: [a], smarts: C}", "used twice"),
        ("a: [", "not YAML"),
        ("entries: b", "expected a list"),
        ("- {id: a, names: [a], skeleton: '(('}", "cannot read the SMILES"),
        ("- {id: a, names: [a], skeleton: C, tautomers: true}", "tautomers needs a smarts"),
        ("- {id: a, pattern: '(', smarts: C}", "pattern"),
        ("- {id: a, names: [a], zones: [nowhere], smarts: C}", "no zone 'nowhere'"),
    ],
)
def test_bad_lexicon_is_one_clear_line(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(BadDataError, match=message) as error:
        load_lexicon(file)
    assert "\n" not in str(error.value)


def test_missing_lexicon():
    with pytest.raises(NoInputError):
        load_lexicon("no/such.yaml")


def test_check_tells_which_example_fails(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("- {id: xenon, names: [x], smarts: '[Xe]', pos: [C], neg: ['[Xe]']}")
    with pytest.raises(BadDataError, match=r"2 failures: xenon: C should match"):
        check(file)


def test_check_passes_and_measures(tmp_path):
    sample = tmp_path / "sample.smi"
    sample.write_text("CCO\nCCC\n")
    report = check(sample=sample)
    assert report.n_concepts == len(LEXICON.concepts)
    assert report.rates["primary_alcohol"] == 0.5


def test_base_rates_ship_for_every_concept():
    assert set(LEXICON.base_rates) <= set(LEXICON.concepts)
    assert len(LEXICON.base_rates) > 0.9 * len(LEXICON.concepts)
    assert all(0 <= rate <= 1 for rate in LEXICON.base_rates.values())


def test_base_rates_count_molecules_not_matches():
    n, rates = base_rates([parse_smiles("OCCO"), parse_smiles("CC")], LEXICON)
    assert (n, rates["primary_alcohol"]) == (2, 0.5)

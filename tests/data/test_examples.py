"""Training examples: augmentation and hiding change the prompt, and nothing else changes it."""

from molcaption.chem.molecule import parse_smiles
from molcaption.data.collate import IGNORE, training_batch
from molcaption.data.examples import ExampleDataset
from molcaption.data.features import views
from molcaption.data.pairs import Pair
from molcaption.data.prompt import PromptTemplate, plain_prompt
from molcaption.data.tokenizer import train_tokenizer

SMILES = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O"] * 20
TOKENIZER = train_tokenizer([*SMILES, "Text"], 400)


def _dataset(**options: float) -> ExampleDataset:
    pairs = [Pair(str(i), s, "Text") for i, s in enumerate(SMILES)]
    return ExampleDataset(
        pairs, views(SMILES, None, None), TOKENIZER, PromptTemplate(plain_prompt(1), 1),
        end=1, max_prompt_tokens=200, max_new_tokens=20, **options,
    )  # fmt: skip


def _shown(dataset: ExampleDataset, epoch: int) -> list[str]:
    prompts = [TOKENIZER.decode(e.prompt, skip_special_tokens=False) for e in dataset.epoch(epoch)]
    return [prompt.partition("SMILES: ")[2].partition("\n")[0] for prompt in prompts]


def test_plain_examples_show_the_smiles_as_it_is() -> None:
    assert _shown(_dataset(), 0) == SMILES


def test_augmented_smiles_are_the_same_molecule() -> None:
    from rdkit import Chem

    shown = _shown(_dataset(augment=1.0), 0)
    assert shown != SMILES
    assert [Chem.CanonSmiles(s) for s in shown] == [
        Chem.MolToSmiles(parse_smiles(s)) for s in SMILES
    ]


def test_half_of_the_prompts_hide_the_smiles_others_each_epoch() -> None:
    dataset = _dataset(hide_smiles=0.5)
    first, second = _shown(dataset, 0), _shown(dataset, 1)
    assert first != second
    assert first == _shown(dataset, 0)
    assert 15 <= first.count("") <= 45
    assert all(shown in ("", smiles) for shown, smiles in zip(first, SMILES, strict=True))


def test_labels_stand_on_the_description_and_its_end_alone() -> None:
    examples = _dataset().epoch(0)[:3]  # prompts of three lengths
    batch = training_batch(examples, pad=0)
    for example, ids, labels, mask in zip(
        examples, batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True
    ):
        said = TOKENIZER.encode("Text", add_special_tokens=False).ids
        length = len(example.prompt) + len(said) + 1
        assert ids[:length].tolist() == [*example.prompt, *said, 1]
        assert labels.tolist() == [
            *[IGNORE] * len(example.prompt), *said, 1, *[IGNORE] * (len(ids) - length)
        ]  # fmt: skip
        assert mask.tolist() == [1] * length + [0] * (len(ids) - length)


def test_a_description_that_is_cut_still_ends() -> None:
    pairs = [Pair("0", "CCO", "Text " * 50)]
    dataset = ExampleDataset(
        pairs, views(["CCO"], None, None), TOKENIZER, PromptTemplate(plain_prompt(1), 1),
        end=1, max_prompt_tokens=200, max_new_tokens=20,
    )  # fmt: skip
    (example,) = dataset.epoch(0)
    assert (len(example.description), example.description[-1]) == (20, 1)

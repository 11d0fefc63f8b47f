"""Python in three lines, and one molecule in the terminal: the same captions as for a file."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molcaption import CaptionedMolecule, CaptionedMolecules, Captioner, Explanation, cli_run
from molcaption.caption import caption
from molcaption.cli import app
from molcaption.data.readers import READERS
from molcaption.data.readers.inputs import all_smiles
from molcaption.engine.captioning import Captioning
from molcaption.engine.runtimes import Generation
from molcaption.errors import BadDataError, MissingError, NoInputError

SMILES = ["CCO", "nonsense", "OC(=O)c1ccccc1", "C1CC", "[Na+].[Cl-]", "OCC"]
pytestmark = pytest.mark.usefixtures("clean_logging")


@pytest.fixture(scope="module")
def captioner(tiny_bundle: Path) -> Captioner:
    return Captioner.from_pretrained(tiny_bundle)


@pytest.fixture(scope="module")
def results(captioner: Captioner) -> CaptionedMolecules:
    return captioner.caption(SMILES)


def test_rows_are_those_of_the_command_line(
    results: CaptionedMolecules, tiny_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.smi").write_text("\n".join(SMILES) + "\n")
    caption([tmp_path / "in.smi"], tmp_path / "out.parquet", model=tiny_bundle)
    for result, row in zip(results, pq.read_table(tmp_path / "out.parquet").to_pylist(),
                           strict=True):  # fmt: skip
        ours = {**result.row, "source": row["source"]}
        assert {name: ours[name] for name in row if name != "properties"} == {
            name: value for name, value in row.items() if name != "properties"
        }
        assert result.caption == row["caption"] and result.error == row["error"]
        assert (result.confidence, result.verdict) == (row["confidence"], row["validity_status"])
        assert [claim.verdict for claim in result.claims] == [c["verdict"] for c in row["claims"]]


def test_a_bad_molecule_has_an_error_in_its_place(results: CaptionedMolecules) -> None:
    assert [result.error is not None for result in results] == [0, 1, 0, 1, 0, 0]
    bad = results[3]
    assert bad.error and "ring" in bad.error
    assert (bad.smiles, bad.caption, bad.confidence, bad.mol) == ("C1CC", None, None, None)
    assert bad.verdict == "mol_error" and bad.claims == ()


def test_results_are_typed_and_fixed(results: CaptionedMolecules) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        results[0].caption = "mine"  # type: ignore[misc]
    assert isinstance(results[0], CaptionedMolecule) and results[0].smiles == "CCO"
    assert 0 < results[0].confidence <= 1  # type: ignore[operator]
    assert results[0] != results[2]


def test_one_molecule_and_many(captioner: Captioner, results: CaptionedMolecules) -> None:
    assert captioner.caption("CCO") == results[0]
    assert captioner.caption(iter(["CCO"])) == (results[0],)
    assert captioner.caption([]) == ()


def test_rdkit_molecules(captioner: Captioner, results: CaptionedMolecules) -> None:
    acid = Chem.AddHs(Chem.MolFromSmiles("OC(=O)c1ccccc1"))
    broken = Chem.MolFromSmiles("CN(C)(C)(C)C", sanitize=False)
    got = captioner.caption([acid, None, broken, Chem.Mol()])
    assert got[0].caption == results[2].caption
    assert acid.GetNumAtoms() > 9  # the caller's own keeps its hydrogens
    assert got[0].mol is not None and got[0].mol.GetNumAtoms() == 9
    assert [str(result.error) for result in got[1:]] == [
        "None, which RDKit gives for what it cannot read",
        "Explicit valence for atom # 1 N, 5, is greater than permitted",
        "no atoms",
    ]


def test_what_is_no_molecule_is_a_bug_of_the_caller(captioner: Captioner) -> None:
    with pytest.raises(TypeError, match="molecule 1: a int"):
        captioner.caption(["CCO", 7])  # type: ignore[list-item]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts words into the captioner's mouth; the random one says nothing that can be checked."""

    def put(text: str) -> None:
        made = Generation(text, 0.5, True)
        monkeypatch.setattr(Captioning, "captions", lambda _, records: iter([made] * len(records)))

    return put


def test_claims_know_their_atoms(captioner: Captioner, say: Callable[[str], None]) -> None:
    said = "The molecule is a member of phenols and a steroid. It is a dual inhibitor."
    say(said)
    (result,) = captioner.caption(["c1cc(O)ccc1CBr"])
    claims = {claim.text: claim for claim in result.claims}
    assert result.caption is not None
    for claim in result.claims:
        assert result.caption[claim.start : claim.end] == claim.text
    assert claims["phenols"].verdict == "supported"
    assert {result.mol.GetAtomWithIdx(i).GetSymbol() for i in claims["phenols"].atoms} >= {"O"}
    assert (claims["steroid"].verdict, claims["steroid"].atoms) == ("contradicted", ())
    assert result.verdict == "contradicted"


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="is no directory"):
        Captioner.from_pretrained(tmp_path / "absent")


def test_a_merged_model_is_a_captioner(tiny_model: Path, results: CaptionedMolecules) -> None:
    (result,) = Captioner.from_pretrained(tiny_model).caption(["CCO"])
    assert result.caption == results[0].caption


def test_a_notebook_draws_it(results: CaptionedMolecules) -> None:
    html = results._repr_html_()
    assert html.count("<svg ") == 4 and html.count("<li class=") == 6
    assert "Rejected: unclosed ring" in html
    assert results[0]._repr_html_().count("<svg ") == 1
    assert all(part not in html for part in ("<script", "<body", "http:", "https:", "@import"))


def test_an_explanation_is_about_the_atoms_as_given(captioner: Captioner) -> None:
    """Whatever the order in which the atoms were given, each keeps its loss."""
    first, second = (captioner.explain(captioner.caption(s)) for s in ("OC(=O)CBr", "BrCC(O)=O"))
    assert first.log_prob == second.log_prob < 0
    assert first.losses == pytest.approx([second.losses[i] for i in (3, 2, 4, 1, 0)])
    assert len({round(loss, 6) for loss in first.losses}) == 5
    with pytest.raises(BadDataError, match="C1CC: nothing to explain: unclosed ring"):
        captioner.explain(captioner.caption("C1CC"))


def test_an_explanation_is_drawn_in_words_and_discs(results: CaptionedMolecules) -> None:
    explanation = Explanation(results[0], -9.0, (0.0, 4.25, -1.0))
    root = ET.fromstring(explanation._repr_svg_())
    title, discs = root[0], root.findall("{*}ellipse")
    assert title.text and title.text.endswith("C1 4.2, C0 0.0, O2 -1.0")
    assert len(discs) == 2  # what loses nothing has none
    radii = [float(disc.attrib["ry"]) for disc in discs]
    assert radii[0] > 1.5 * radii[1]
    fills = [re.findall("fill:(#[0-9A-F]{6})", disc.attrib["style"]) for disc in discs]
    assert fills[0] != fills[1]


@pytest.fixture
def model(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes the tiny bundle the one that ships."""
    monkeypatch.setattr("molcaption.shipped.DEFAULT_MODEL", str(tiny_bundle))
    return tiny_bundle


def run(*arguments: str) -> int:
    return cli_run.run(app, ["caption", *arguments])


def test_a_smiles_in_place_of_a_file(
    model: Path, capsys: pytest.CaptureFixture[str], say: Callable[[str], None]
) -> None:
    said = "It is a primary alcohol" + " and that is a very long line" * 20
    say(said + "\x1b[31m\nred")
    assert run("CCO") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:3] == ["CCO", "", said + "\ufffd[31m red"]
    assert "Confidence 0.50." in out
    assert "\x1b" not in out and not err


def test_claims_have_signs_and_words(
    model: Path, capsys: pytest.CaptureFixture[str], say: Callable[[str], None]
) -> None:
    said = "The molecule is a member of phenols and a steroid. It is a dual inhibitor."
    say(said)
    assert run("Oc1ccccc1") == 0
    out = capsys.readouterr().out
    assert "  ✓ phenols: supported; atoms " in out
    assert "  ✗ steroid: steroid: expected 1, found 0\n" in out
    assert "Refuted: 1 of 2 checkable claims." in out


def test_json_lines_of_a_smiles(
    model: Path, results: CaptionedMolecules, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("CCO", "OC(=O)c1ccccc1", "-o", "-") == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [row["caption"] for row in rows] == [results[0].caption, results[2].caption]
    assert rows[0]["validity_status"] == results[0].verdict


def test_a_smiles_to_a_file(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run("CCO", "-o", str(out), "--columns", "smiles,caption") == 0
    assert out.read_text().splitlines()[0] == "smiles,caption"
    before = out.read_bytes()
    assert run("CCC", "-o", str(out)) == 73
    assert out.read_bytes() == before
    assert run("CCC", "-o", str(out), "--force") == 0
    assert out.read_bytes() != before


def test_a_smiles_to_an_sd_file(model: Path, tmp_path: Path) -> None:
    assert run("[13CH3]O", "-o", str(tmp_path / "out.sdf")) == 0
    (mol,) = Chem.SDMolSupplier(str(tmp_path / "out.sdf"))
    assert Chem.MolToSmiles(mol) == "[13CH3]O" and mol.HasProp("CAPTION")


def test_explained_in_a_file(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "atoms.svg"
    assert run("OC(=O)c1ccccc1", "--explain", str(picture)) == 0
    out, err = capsys.readouterr()
    assert "Confidence" in out and f"{picture}: the caption rests most on " in err
    assert ET.fromstring(picture.read_text("utf-8"))[0].text


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["CCO", "CC", "--explain", "x.svg"], 2, "--explain draws one molecule; 2 SMILES"),
        (["CCO", "--explain", "x.png"], 2, "--explain x.png: the picture is an .svg file"),
        (["CCO", "--explain", "absent/x.svg"], 73, "absent/x.svg: the folder"),
        (["pyproject.toml", "--explain", "x.svg"], 2, "--explain goes with one SMILES"),
        (["aspirin"], 66, "aspirin: no such file, and no SMILES: SMILES syntax error"),
        (["C1CC"], 66, "C1CC: no such file, and no SMILES: unclosed ring"),
        (["absent.smi", "-o", "x.csv"], 66, "absent.smi: cannot read it: No such file"),
        (["pyproject.toml", "CCO", "-o", "x.csv"], 66, "CCO: no such file; a SMILES cannot stand"),
        (["pyproject.toml"], 2, "pyproject.toml: say where the captions go with -o"),
        (["CCO", "--shard", "1/2"], 2, "--shard goes with compound files; CCO is a SMILES"),
        (["CCO", "--dry-run"], 2, "--dry-run goes with compound files"),
        (["CCO", "--columns", "id"], 2, "--columns chooses what -o writes"),
        (["CCO", "-o", "x.xyz"], 2, "x.xyz: unknown output format"),
    ],
)
def test_neither_file_nor_molecule(
    arguments: list[str], code: int, expected: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(Path(__file__).parents[1])
    assert run(*arguments) == code
    assert expected in capsys.readouterr().err


def test_a_file_comes_before_a_molecule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert all_smiles(["CCO"], READERS) and all_smiles(["[Na+].[Cl-]", "C*"], READERS)
    (tmp_path / "CCO").write_text("C\n")
    assert not all_smiles(["CCO"], READERS)
    for paths in (["-"], ["x.sdf"], ["x.SMI.gz"], [str(tmp_path)], ["*"], ["C[C]O"]):
        assert not all_smiles(paths, READERS)
    with pytest.raises(NoInputError, match="no SMILES"):
        all_smiles(["library/*.xyz"], READERS)


def test_a_terminal_that_knows_no_ticks(tiny_bundle: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "molcaption", "caption", "c1ccccc1O", "-m", str(tiny_bundle)],
        cwd=Path(__file__).parents[1], capture_output=True, check=False, timeout=300,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() and b"\x1b" not in done.stdout

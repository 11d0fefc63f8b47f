"""The commands that say how good captions are: `score`, and `baseline` to compare with."""

from enum import StrEnum
from typing import Annotated

import typer

from molcaption.cli_options import (
    IdColumn,
    Lexicon,
    Limit,
    Output,
    SmilesColumn,
    command,
    new_group,
)

group = new_group()


class BaselineKind(StrEnum):
    """Where a baseline takes its captions from."""

    nearest = "nearest"
    profile = "profile"
    embedding = "embedding"
    constant = "constant"
    random = "random"


class TableFormat(StrEnum):
    """Forms of a score report."""

    json = "json"
    table = "table"
    latex = "latex"


class PairedTest(StrEnum):
    """Ways to compare two systems on the same rows."""

    bootstrap = "bootstrap"
    randomisation = "randomisation"


@command(group, "score")
def _score(
    predictions: Annotated[str, typer.Argument(help="Captions, with an id column.")],
    references: Annotated[str, typer.Argument(help="Descriptions, with an id column.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Stdout by default.")
    ] = None,
    tokenizer: Annotated[
        str,
        typer.Option(help="word, whitespace, a vocabulary, its folder, or a cached name."),
    ] = "word",
    wordnet: Annotated[
        str | None, typer.Option(metavar="DIR", help="WordNet for METEOR; NLTK's own by default.")
    ] = None,
    bertscore: Annotated[
        str | None, typer.Option(metavar="DIR", help="Encoder on this machine for BERTScore.")
    ] = None,
    lexicon: Lexicon = None,
    id_column: Annotated[
        str, typer.Option("--id-column", "--id", metavar="NAME", help="Column to join on.")
    ] = "id",
    caption_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of PREDICTIONS.")
    ] = "caption",
    description_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of REFERENCES.")
    ] = "description",
    smiles_column: SmilesColumn = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this one; repeatable.")
    ] = None,
    limit: Limit = None,
    resamples: Annotated[
        int, typer.Option(min=0, help="Resamples for intervals and tests; 0 for neither.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples.")] = 0,
    against: Annotated[
        str | None, typer.Option(metavar="FILE", help="Captions to compare with, row by row.")
    ] = None,
    paired: Annotated[PairedTest, typer.Option(help="Test for --against.")] = PairedTest.bootstrap,
    by: Annotated[
        str,
        typer.Option(metavar="LIST", help="Break down by size,components,similarity,claims,scope."),
    ] = "",
    train: Annotated[
        str | None, typer.Option(metavar="FILE", help="Molecules that similarity is measured to.")
    ] = None,
    rows: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the scores of every row, by suffix.")
    ] = None,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a page about all of it.")
    ] = None,
    format: Annotated[TableFormat, typer.Option(help="Form of the report.")] = TableFormat.json,
    brief: Annotated[bool, typer.Option("--brief", "-b", help="Bare numbers, one a line.")] = False,
    width: Annotated[int, typer.Option("--width", "-w", min=0, help="Digits shown.")] = 4,
) -> None:
    """Score captions against descriptions, joined on an id.

    \b
    Examples:
      molcaption score captions.parquet references.tsv
      molcaption score captions.tsv references.tsv --metric bleu4 -b
      molcaption score captions.jsonl references.tsv --tokenizer vocab.txt --format table
      molcaption score captions.parquet references.tsv --against baseline.parquet --html report.html
      molcaption score captions.parquet references.tsv --by size,similarity --train train.tsv
    """
    from molcaption.score import score

    score(predictions, references, output=output, tokenizer=tokenizer, wordnet=wordnet,
          bertscore=bertscore, lexicon=lexicon, id_column=id_column, caption_column=caption_column,
          description_column=description_column, smiles_column=smiles_column, metrics=metric,
          limit=limit, resamples=resamples, seed=seed, against=against, paired=paired.value,
          by=[name.strip() for name in by.split(",") if name.strip()], train=train, rows=rows,
          html=html, format=format.value, brief=brief, width=width)  # fmt: skip


@command(group, "baseline")
def _baseline(
    train: Annotated[str, typer.Argument(help="Molecules with descriptions, to copy from.")],
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Compound files.")],
    output: Output,
    kind: Annotated[
        BaselineKind,
        typer.Option(help="Nearest neighbour's by fingerprint or by encoder, one, or any."),
    ] = BaselineKind.nearest,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="DIR", help="For embedding: bundle, model or run."),
    ] = None,
    style: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Copy this style only; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For random.")] = 0,
    smiles_column: SmilesColumn = None,
    id_column: IdColumn = None,
    description_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of TRAIN that is copied.")
    ] = None,
    limit: Limit = None,
) -> None:
    """Caption by copying from known molecules, to compare a captioner with.

    \b
    Examples:
      molcaption baseline train.tsv dev.tsv -o nearest.parquet
      molcaption baseline train.tsv dev.tsv -o constant.parquet --kind constant
      molcaption baseline train.tsv dev.tsv -o seen.parquet --kind embedding --model exports/mini
    """
    from molcaption.baseline import baseline

    baseline(train, inputs, output, kind=kind.value, model=model, styles=style, seed=seed,
             smiles_column=smiles_column, id_column=id_column,
             description_column=description_column, limit=limit)  # fmt: skip

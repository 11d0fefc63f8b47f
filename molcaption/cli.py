"""The command line: a table of verbs, and the commands that write captions.

A command reads its options, imports its verb and calls it with plain arguments; nothing heavy is
imported before that, so help is quick and a light installation never misses torch.
"""

from typing import Annotated

import typer

from molcaption import __version__, cli_inspect, cli_run, cli_score, cli_train
from molcaption.cli_options import (
    CAPTIONS,
    INPUT,
    MORE_OUTPUT,
    SPEED,
    CaptionOutput,
    Engine,
    Force,
    Format,
    Header,
    IdColumn,
    Lexicon,
    Limit,
    MaxNewTokens,
    Output,
    SmilesColumn,
    command,
    new_group,
    refuse_others,
    with_global_options,
)
from molcaption.engine import BATCH_SIZE
from molcaption.errors import UsageError

_SHORT_HELP = """\
molcaption: caption molecules in bulk, with evidence for every chemical claim.

  molcaption caption compounds.sdf -o captions.parquet
  molcaption score captions.parquet references.tsv

All commands: molcaption --help. One command: molcaption caption --help.
"""

# What `caption` takes with SMILES in place of files.
_FOR_SMILES = {"inputs", "output", "model", "memory", "memory_style", "columns", "draws", "beams",
               "length_penalty", "mend", "batch_size", "max_new_tokens", "threads", "explain",
               "force"}  # fmt: skip

app = new_group()


def main() -> int:
    """Entry point of the `molcaption` script; the exit code."""
    return cli_run.run(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"molcaption {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@with_global_options
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Caption molecules in bulk, with evidence for every chemical claim.

    \b
    Examples:
      molcaption caption compounds.sdf -o captions.parquet
      molcaption finetune recipes/qwen3.yaml
      molcaption score captions.parquet references.tsv
    """
    if ctx.invoked_subcommand is None:
        typer.echo(_SHORT_HELP, nl=False)


@command(app, "caption")
def _caption(
    ctx: typer.Context,
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Compound files, folders of them, "
                                  "patterns; - reads stdin. Or SMILES.")
    ],
    output: CaptionOutput = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="DIR",
                                 help="Bundle or model directory, or ORG/NAME on the Hugging Face "
                                 "hub; the one that ships by default."),
    ] = None,
    memory: Annotated[
        str | None, typer.Option(rich_help_panel=CAPTIONS, metavar="FILE",
                                 help="Captioned molecules: the captions of "
                                 "similar ones compete with the captioner's own."),
    ] = None,
    memory_style: Annotated[
        list[str] | None, typer.Option(rich_help_panel=CAPTIONS, metavar="NAME",
                                       help="Of FILE, only rows of this style; "
                                       "may be repeated; chebi-prose: ChEBI's, however called."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(rich_help_panel=MORE_OUTPUT, metavar="LIST",
                                 help="Columns to write, such as "
                                 "id:ID,caption:description; all by default."),
    ] = None,
    format: Format = None,
    smiles_column: SmilesColumn = None,
    id_column: IdColumn = None,
    header: Header = None,
    draws: Annotated[
        int | None, typer.Option(rich_help_panel=CAPTIONS, min=0,
                                 help="Captions drawn beside the greedy one, to keep the "
                                 "best of; the model's own number by default."),
    ] = None,
    beams: Annotated[
        int, typer.Option(rich_help_panel=CAPTIONS, min=1, metavar="N",
                          help="Find the caption beside the drawn ones by beam search with N "
                          "beams; greedy by default.")
    ] = 1,
    length_penalty: Annotated[
        float | None, typer.Option(rich_help_panel=CAPTIONS, metavar="X",
                                   help="With --beams: above 0 favours longer captions, below 0 "
                                   "shorter ones; 1 by default.")
    ] = None,
    mend: Annotated[
        bool, typer.Option("--mend/--no-mend", rich_help_panel=CAPTIONS,
                           help="Put a caption together from what all "
                           "candidates say and the structure does not refute.")
    ] = True,
    batch_size: Annotated[int, typer.Option(rich_help_panel=SPEED, min=1,
                                            help="Captions decoded together.")] = BATCH_SIZE,
    limit: Limit = None,
    shard: Annotated[
        str | None, typer.Option(rich_help_panel=INPUT, metavar="I/N",
                                 help="Caption the I-th of N shares of the records.")
    ] = None,
    max_new_tokens: MaxNewTokens = None,
    max_rejects: Annotated[
        str | None, typer.Option(rich_help_panel=MORE_OUTPUT, metavar="N|N%",
                                 help="Exit 65 if more records than this fail.")
    ] = None,
    cache: Annotated[
        str | None, typer.Option(rich_help_panel=SPEED, metavar="DIR",
                                 help="Keep captions here for later runs, which "
                                 "write only what is new.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(rich_help_panel=SPEED, min=1,
                                 help="CPU threads of the decoder; all by default.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(rich_help_panel=SPEED, min=0,
                                 help="Processes for parsing, features and checks; one a "
                                 "core by default, 0 for none.")
    ] = None,
    molecule_timeout: Annotated[
        float | None, typer.Option(rich_help_panel=SPEED, min=0.1, metavar="SECONDS",
                                   help="Give up a molecule that takes "
                                   "more processor time; 10 by default.")
    ] = None,
    html: Annotated[
        str | None, typer.Option(rich_help_panel=MORE_OUTPUT, metavar="FILE",
                                 help="Write a page about the captions too.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(rich_help_panel=MORE_OUTPUT, metavar="FILE.svg",
                                 help="Of one SMILES: draw which atoms the "
                                 "caption rests on.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and count the records, and do nothing else.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(rich_help_panel=SPEED, help="Where it is done: on this machine, or on "
                             "a Ray cluster, which writes DIR/ in parts.")
    ] = Engine.local,
    force: Force = False,
) -> None:  # fmt: skip
    """Write one caption per record of a compound file, with the evidence for it.

    \b
    Examples:
      molcaption caption "CC(=O)Oc1ccccc1C(=O)O" --explain atoms.svg
      molcaption caption examples/drugs.sdf -o captions.parquet --html report.html
      molcaption caption library.smi.gz -o captions.csv --columns id:ID,caption:description
      molcaption caption library.smi.gz -o captions.parquet --memory known.tsv
      molcaption caption library.smi.gz -o tonight.parquet --cache /var/cache/captions
      molcaption caption 'library/*.sdf' -o captions/
      molcaption caption library.sdf.gz -o captions/ --engine ray
      cat library.smi | molcaption caption - --format smi -o - > captions.jsonl
    """
    from molcaption.caption import caption, survey
    from molcaption.data.readers import READERS
    from molcaption.data.readers.inputs import all_smiles

    if all_smiles(inputs, READERS):
        from molcaption.show import show

        refuse_others(ctx, _FOR_SMILES, f"goes with compound files; {inputs[0]} is a SMILES")
        show(inputs, output, model=model, memory=memory, memory_styles=memory_style, draws=draws,
             beams=beams, length_penalty=length_penalty, mend=mend, columns=columns,
             batch_size=batch_size, max_new_tokens=max_new_tokens, threads=threads,
             explain=explain, force=force)  # fmt: skip
        return
    if explain is not None:
        raise UsageError(f"--explain goes with one SMILES; {inputs[0]} is a file")
    if dry_run:
        survey(inputs, format=format, smiles_column=smiles_column, id_column=id_column,
               has_header=header, limit=limit, shard=shard, workers=workers,
               molecule_timeout=molecule_timeout)  # fmt: skip
        return
    if output is None:
        raise UsageError(f"{inputs[0]}: say where the captions go with -o captions.parquet")
    if html is not None:
        from molcaption.reporting import check_page, report

        check_page(output, html, columns)
    caption(inputs, output, model=model, memory=memory, memory_styles=memory_style,
            draws=draws, beams=beams, length_penalty=length_penalty, mend=mend, columns=columns,
            format=format, smiles_column=smiles_column, id_column=id_column, has_header=header,
            batch_size=batch_size, limit=limit, shard=shard, max_new_tokens=max_new_tokens,
            max_rejects=max_rejects, cache=cache, threads=threads, workers=workers,
            molecule_timeout=molecule_timeout, engine=engine.value, force=force)  # fmt: skip
    if html is not None:
        report(output, html)


@command(app, "check")
def _check(
    input: Annotated[
        str, typer.Argument(metavar="CAPTIONS", help="Table with SMILES and caption.")
    ],
    output: Output,
    smiles_column: SmilesColumn = None,
    caption_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of captions.")
    ] = "caption",
    lexicon: Lexicon = None,
    format: Format = None,
    limit: Limit = None,
) -> None:
    """Check what captions claim against their structures; adds the validity columns.

    \b
    Examples:
      molcaption check captions.parquet -o checked.parquet
      molcaption check theirs.tsv -o checked.tsv --caption-column output --lexicon mine.yaml
    """
    from molcaption.check import check

    check(input, output, smiles_column=smiles_column, caption_column=caption_column,
          lexicon=lexicon, format=format, limit=limit)  # fmt: skip


app.add_typer(cli_score.group)
app.add_typer(cli_train.group)
app.add_typer(cli_inspect.group)

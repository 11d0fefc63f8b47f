"""The verb ``caption`` for a SMILES in place of a file: the answer in the terminal.

With an output the row is written as for a file; without, caption, claims and confidence are told
in words. Signs and words carry the meaning, colours only repeat it where a terminal takes them.
"""

import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from molcaption.api import (
    CaptionedMolecule,
    CaptionedMolecules,
    Captioner,
    CheckedClaim,
    Explanation,
)
from molcaption.claims import load_lexicon
from molcaption.claims.verify import Claim
from molcaption.data.writers import (
    MOL_KEY,
    atomic_write,
    check_output,
    check_target,
    open_writer,
)
from molcaption.engine.outputs import exists
from molcaption.errors import BadDataError, CannotWriteError, UsageError
from molcaption.log import takes_ansi
from molcaption.report.caption_cards import verdict_in_words
from molcaption.report.importance import ranked
from molcaption.report.marks import describe

_log = logging.getLogger(__name__)
_SIGNS = {"supported": "✓", "contradicted": "✗", "unchecked": "?"}
_PLAIN_SIGNS = {"supported": "+", "contradicted": "x", "unchecked": "?"}  # where there is no ✓
_STYLES = {"supported": "blue", "contradicted": "dark_orange3 strike", "unchecked": "dim"}
_REASONS = {
    "unknown_term": "the lexicon has no such word",
    "out_of_scope": "it is not said of this molecule's structure",
    "insufficient_structure": "the structure neither proves nor refutes it",
}


def show(
    smiles: Sequence[str],
    output: str | Path | None = None,
    *,
    model: str | Path | None = None,
    columns: str | None = None,
    explain: str | Path | None = None,
    force: bool = False,
    **options: Any,
) -> CaptionedMolecules:
    """Caption molecules given as SMILES.

    Args:
        output: as for files, "-" for JSON lines; None tells the answer in words.
        explain: SVG file for the picture of the atoms that the caption of the only molecule rests
            on.
        options: of `Captioner.from_pretrained`.

    Raises:
        MissingError, BadDataError: as `Captioner.from_pretrained`.
        UsageError: ``columns`` without an ``output``, an unknown format, or ``explain`` for more
            than one molecule.
        CannotWriteError: the output exists and ``force`` is not given, or cannot be written.
    """
    if output is None and columns is not None:
        raise UsageError("--columns chooses what -o writes; add -o -")
    if explain is not None:
        _check_picture(explain, smiles)
    if output is not None:
        check_output(output)
        check_target(output)
        if exists(output) and not force:
            raise CannotWriteError(f"{output}: exists already; give another name, or --force")
    captioner = Captioner.from_pretrained(model, **options)
    results = captioner.caption(smiles)
    if output is None:
        _tell(results)
    else:
        with open_writer(output, columns=columns) as writer:
            writer.write([{**result.row, MOL_KEY: result.mol} for result in results])
    if explain is not None:
        _draw(captioner.explain(results[0]), explain)
    return results


def _check_picture(path: str | Path, smiles: Sequence[str]) -> None:
    if len(smiles) != 1:
        raise UsageError(f"--explain draws one molecule; {len(smiles)} SMILES are given")
    if Path(path).suffix.lower() != ".svg":
        raise UsageError(f"--explain {path}: the picture is an .svg file")
    check_target(path)


def _draw(explanation: Explanation, path: str | Path) -> None:
    try:
        picture = explanation.svg()
    except ValueError as error:
        raise BadDataError(f"--explain {path}: {explanation.molecule.smiles}: {error}") from error
    with atomic_write(path, "w") as file:
        file.write(picture)
    most = ranked(explanation.mol, explanation.losses, 3)
    _log.info("%s: the caption rests most on %s", path, most)


def _tell(results: CaptionedMolecules) -> None:
    colours = takes_ansi(sys.stdout)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without β shows its number
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(
        force_terminal=colours, no_color=not colours, highlight=False, emoji=False, markup=False,
        soft_wrap=not sys.stdout.isatty(),
    )  # fmt: skip
    for place, result in enumerate(results):
        console.print(Text("\n" if place else "") + _described(result, _signs(console.encoding)))


def _signs(encoding: str) -> dict[str, str]:
    try:
        "".join(_SIGNS.values()).encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN_SIGNS
    return _SIGNS


def _described(result: CaptionedMolecule, signs: dict[str, str]) -> Text:
    caption = Text(_printable(result.caption or ""))
    for claim in result.claims:
        caption.stylize(_STYLES[claim.verdict], claim.start, claim.end)
    lines = [Text(result.smiles, "bold"), Text(), caption, Text()]
    lines += [
        _claim(claim, checked, signs[checked.verdict])
        for claim, checked in zip(result.row["claims"], result.claims, strict=True)
    ]
    confidence = "unknown" if result.confidence is None else f"{result.confidence:.2f}"
    lines += [Text()] if result.claims else []
    lines.append(Text(f"{verdict_in_words(result.row)}. Confidence {confidence}."))
    return Text("\n").join(lines)


def _claim(claim: Claim, checked: CheckedClaim, sign: str) -> Text:
    told = "supported" if checked.verdict == "supported" else describe(claim, load_lexicon())
    if checked.verdict == "unchecked":
        told = f"not checked, {_REASONS.get(checked.reason or '', checked.reason)}"
    atoms = f"; atoms {' '.join(map(str, checked.atoms))}" if checked.atoms else ""
    return Text(
        f"  {sign} {_printable(checked.text)}: {told}{atoms}", _STYLES[checked.verdict].split()[0]
    )


def _printable(text: str) -> str:
    """One line, of the same length, that cannot steer the terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)

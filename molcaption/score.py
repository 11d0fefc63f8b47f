"""`score`: numbers for a file of captions against a file of references.

Each number carries the recipe that made it and, where rows can be resampled, its interval. How
rows are joined stands in `molcaption.data.joining`. Structures, for chemical scores, come from a
column of SMILES; without one these scores are left out, which a warning says.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from rdkit import Chem

from molcaption import __version__
from molcaption.chem.molecule import InvalidMolecule, Molecule, parse_smiles
from molcaption.claims import Lexicon, load_lexicon, settle
from molcaption.data.captions import read_captions, some
from molcaption.data.joining import Pairs, join
from molcaption.data.readers import read_molecules
from molcaption.data.writers import STDOUT, atomic_write, open_writer
from molcaption.errors import BadDataError, UsageError
from molcaption.metrics.breakdown import BREAKDOWNS
from molcaption.metrics.chemistry import CheckedPairs, check_pairs
from molcaption.metrics.options import check_company, check_names, check_numbers, check_outputs
from molcaption.metrics.rendering import FORMATS, render_brief
from molcaption.metrics.retrieval import FingerprintIndex
from molcaption.metrics.rows import row_columns, score_rows
from molcaption.metrics.scorecard import ScoreReport
from molcaption.metrics.signatures import (
    CHEMICAL_METRICS,
    METRICS,
    MODEL_METRICS,
    Corpus,
    Measured,
    Score,
    measure_all,
    resamplable,
    signed,
)
from molcaption.metrics.statistics import Resampling, compare
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import NO_WORDNET, load_wordnet

log = logging.getLogger(__name__)
HEADLINE = "bleu4"
RESAMPLES = 1000


def score(
    predictions: str | Path,
    references: str | Path,
    *,
    output: str | Path | None = None,
    tokenizer: str = "word",
    wordnet: str | Path | None = None,
    bertscore: str | Path | None = None,
    lexicon: str | Path | None = None,
    id_column: str = "id",
    caption_column: str = "caption",
    description_column: str = "description",
    smiles_column: str | None = None,
    metrics: Sequence[str] | None = None,
    limit: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    against: str | Path | None = None,
    paired: str = "bootstrap",
    by: Sequence[str] = (),
    train: str | Path | None = None,
    rows: str | Path | None = None,
    html: str | Path | None = None,
    format: str = "json",
    brief: bool = False,
    width: int = 4,
) -> list[Score]:
    """Score ``predictions`` against ``references`` and print or write the result.

    Args:
        output: file to write; standard output without it.
        tokenizer: `word`, `whitespace`, or a vocab.txt, tokenizer.json or directory with one.
        wordnet: folder of WordNet for METEOR; otherwise NLTK's search path, and if that has none
            METEOR matches words and stems only, which its signature says.
        bertscore: directory of a transformers encoder; without one there is no BERTScore.
        lexicon: a user's lexicon, laid over the built-in one, for chemical scores.
        smiles_column: of the references or else the predictions; by default the usual names.
        metrics: names from `ALL_METRICS`, by default all that the files allow.
        limit: score the first so many references only; the signatures say so.
        resamples: bootstrap resamples for intervals and comparisons; 0 does without intervals.
        seed: of the resamples.
        against: captions of another system, joined in the same way and compared row by row.
        paired: how: a name from `PAIRED`.
        by: names from `BREAKDOWNS`; `similarity` is to the molecules of ``train``.
        rows: file for the scores and claims of every row; its suffix chooses the format.
        html: file for a page about all of it.
        format: a name from `FORMATS`.
        brief: print bare numbers only, one a line; BLEU-4 unless ``metrics`` says otherwise.
        width: digits after the point where numbers are printed for reading.

    Raises:
        MolcaptionError: bad options, files or joins; see `read_captions` and `join`.
    """
    check_names(metrics or (), by, format, paired)
    check_numbers(limit, width, resamples, seed)
    check_company(by, train, against, resamples)
    names = _named(metrics, brief, bertscore)
    inputs = [predictions, references, against or references, train or references]
    check_outputs(output, rows, html, inputs)
    tokens, concepts = load_tokenizer(tokenizer), load_lexicon(lexicon)
    read = partial(read_captions, id_column=id_column, smiles_column=smiles_column)
    descriptions = read(references, text_column=description_column)
    pairs = join(read(predictions, text_column=caption_column), descriptions, limit)
    _check_structures(pairs, names, by, smiles_column)
    names = names or _all_possible(pairs, bertscore)
    per_row = rows is not None or html is not None
    synonyms = load_wordnet(wordnet) if per_row or "meteor" in names else NO_WORDNET
    needs_claims = per_row or by or not CHEMICAL_METRICS.keys().isdisjoint(names)
    claims = _checked(pairs, concepts) if needs_claims else None
    corpus = Corpus(
        pairs.captions, pairs.references, tokens, synonyms, pairs.origin, claims, bertscore
    )
    measured = measure_all(names, corpus)
    resampling = Resampling(resamples, seed, pairs.ids) if resamples else None
    compared = None
    if against is not None and resampling is not None:
        others = join(read(against, text_column=caption_column), descriptions, limit)
        compared = _compare(measured, corpus, others, resampling, paired)
        compared = {"predictions": str(against), **compared}
    report = ScoreReport(
        summary=_summary(predictions, references, pairs, corpus),
        scores=signed(measured, corpus, resampling),
        rows=score_rows(corpus, pairs.ids, pairs.smiles) if per_row else [],
        breakdowns=_breakdowns(by, corpus, measured, train),
        against=compared,
    )
    _emit(render_brief(report, width) if brief else FORMATS[format](report, width), output)
    if rows is not None:
        _write_rows(report, rows)
    if html is not None:
        from molcaption.report import write_report

        write_report(report, html, concepts)
    return report.scores


def _named(metrics: Sequence[str] | None, brief: bool, bertscore: str | Path | None) -> list[str]:
    """Names of the metrics that were asked for; none means all that the files allow."""
    if bertscore is None and "bertscore" in (metrics or ()):
        raise UsageError("metric 'bertscore' needs a model: name its directory")
    return list(metrics) if metrics else [HEADLINE] if brief else []


def _all_possible(pairs: Pairs, bertscore: str | Path | None) -> list[str]:
    if pairs.smiles is None:
        log.warning("no column of SMILES in either file: chemical scores are left out")
    chemical = CHEMICAL_METRICS if pairs.smiles is not None else {}
    return [*METRICS, *chemical, *(MODEL_METRICS if bertscore is not None else {})]


def _check_structures(
    pairs: Pairs, metrics: Sequence[str], by: Sequence[str], smiles_column: str | None
) -> None:
    """What was asked for by name is not left out in silence."""
    if pairs.smiles is not None:
        return
    if smiles_column is not None:
        raise UsageError(f"no column {smiles_column!r} in either file, to read SMILES from")
    in_vain = [f"metric {name!r}" for name in metrics if name in CHEMICAL_METRICS]
    in_vain += [f"a breakdown by {name}" for name in by]
    if in_vain:
        raise UsageError(
            f"{in_vain[0]} needs structures, and neither file has a column of SMILES under a "
            "usual name; name the column"
        )


def _checked(pairs: Pairs, lexicon: Lexicon) -> CheckedPairs | None:
    """The pairs judged against their structures; None if there are none."""
    if pairs.smiles is None:
        return None
    mols = [_mol(smiles) for smiles in pairs.smiles]
    unread = [i for i, mol in zip(pairs.ids, mols, strict=True) if mol is None]
    if unread:
        log.warning(
            "%d of %d structures are missing or cannot be read, and their claims are unchecked: %s",
            len(unread), len(mols), some(unread),
        )  # fmt: skip
    return check_pairs(mols, pairs.captions, pairs.references, settle(lexicon), pairs.smiles_from)


def _mol(smiles: str | None) -> Chem.Mol | None:
    try:
        return parse_smiles(smiles or "")
    except InvalidMolecule:
        return None


def _summary(
    predictions: str | Path, references: str | Path, pairs: Pairs, corpus: Corpus
) -> dict[str, Any]:
    return {
        "version": __version__,
        "predictions": str(predictions),
        "references": str(references),
        "n": len(pairs.ids),
        "charged_empty": corpus.n_empty,
        "missing": len(pairs.missing),
    }


def _breakdowns(
    by: Sequence[str], corpus: Corpus, measured: Measured, train: str | Path | None
) -> dict[str, list[dict[str, Any]]]:
    if corpus.claims is None:
        return {}
    training = None if train is None else _fingerprints(train)
    metrics = resamplable(measured)
    return {name: BREAKDOWNS[name](corpus.claims, metrics, training) for name in by}


def _fingerprints(train: str | Path) -> FingerprintIndex:
    mols = [record.mol for record in read_molecules([train]) if isinstance(record, Molecule)]
    if not mols:
        raise BadDataError(f"{train}: holds no molecule that can be read")
    return FingerprintIndex(mols)


def _compare(
    measured: Measured, corpus: Corpus, others: Pairs, resampling: Resampling, paired: str
) -> dict[str, Any]:
    """The same rows with another system's captions, and how the two differ."""
    other = replace(
        corpus,
        captions=others.captions,
        origin=others.origin,
        claims=corpus.claims and corpus.claims.with_captions(others.captions),
    )
    ours = resamplable(measured)
    theirs = resamplable(measure_all(ours, other))
    return {
        "charged_empty": other.n_empty,
        "missing": len(others.missing),
        "paired": paired,
        "resamples": resampling.n,
        "seed": resampling.seed,
        "metrics": [asdict(found) for found in compare(ours, theirs, resampling, paired)],
    }


def _write_rows(report: ScoreReport, path: str | Path) -> None:
    signatures = {f"molcaption.{score.name}": score.signature for score in report.scores}
    with open_writer(path, metadata=signatures) as writer:
        writer.write([row_columns(row) for row in report.rows])


def _emit(text: str, output: str | Path | None) -> None:
    if output in (None, STDOUT):
        sys.stdout.write(text + "\n")
        return
    with atomic_write(str(output), "w") as file:
        file.write(text + "\n")

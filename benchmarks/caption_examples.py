"""Twenty honest examples for a model card: the best, the middle and the worst captions of a file.

    molcaption caption DEV.tsv -o captions.parquet
    python benchmarks/caption_examples.py captions.parquet DEV.tsv

Ranked by sentence BLEU-4, as `molcaption score --rows` gives it. References are not printed: they
belong to whoever wrote them, and the ids tell where to look.
"""

import argparse
import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from molcaption.metrics.rows import sentence_bleu
from molcaption.metrics.text import bleu_counts
from molcaption.metrics.tokenizers import split_words

COLUMNS = ["id", "smiles", "caption", "validity_status", "claims"]


def main() -> None:
    """Print Markdown."""
    args = parse_args()
    with args.references.open(encoding="utf-8") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        references = {row["id"]: row["description"] for row in reader}
    table = pq.read_table(args.captions, columns=COLUMNS).to_pylist()
    rows = [row for row in table if row["caption"]]
    captions = split_words([row["caption"] for row in rows])
    scores = sentence_bleu(bleu_counts(captions, split_words([references[r["id"]] for r in rows])))
    order = sorted(range(len(rows)), key=lambda i: -scores[i])
    middle = len(order) // 2
    for title, chosen in (
        ("Best", order[: args.each]),
        ("Median", order[middle - 3 : middle + 3]),
        ("Worst", order[-args.each :]),
    ):
        print(f"\n### {title}\n\n| CID | BLEU-4 | caption |\n|---|---|---|")
        for i in chosen:
            print(f"| {rows[i]['id']} | {scores[i]:.2f} | {marked(rows[i])} |")


def marked(row: dict[str, Any]) -> str:
    """The caption with refuted claims struck out and supported ones bold."""
    text, end = row["caption"], len(row["caption"])
    marks = {"supported": "**", "contradicted": "~~"}
    for claim in sorted(row["claims"], key=lambda claim: -claim["start"]):
        mark = marks.get(claim["verdict"])
        if mark and claim["end"] <= end:
            inside = text[claim["start"] : claim["end"]]
            text = text[: claim["start"]] + mark + inside + mark + text[claim["end"] :]
            end = claim["start"]
    return text.replace("|", "\\|")


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captions", type=Path, help="Parquet from `molcaption caption`")
    parser.add_argument("references", type=Path, help="TSV with id and description")
    parser.add_argument("--each", type=int, default=7, help="of the best and of the worst")
    return parser.parse_args()


if __name__ == "__main__":
    main()

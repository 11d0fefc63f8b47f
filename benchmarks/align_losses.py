"""Which loss aligns best: `align` with each of four, on the encoder and backbone of one run.

    python benchmarks/align_losses.py recipes/mini.yaml --set data.root=FOLDER

Needs `molcaption pretrain` to have been run; everything else lies in temporary folders. Prints one
Markdown table: distance on dev against the mean vector's, and retrieval among the dev pairs.
"""

import argparse
import json
import tempfile
from pathlib import Path

from molcaption.align import align
from molcaption.recipe import load_recipe

VARIANTS = [(loss, weight) for loss in ("mse", "cosine") for weight in (0.0, 0.5)]


def main() -> None:
    """Run the four and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    args = parser.parse_args()
    run_dir = load_recipe(args.recipe, args.overrides).run_dir.resolve()
    print("| loss | contrastive | distance | mean vector | gain | R@1 | R@10 | MRR | chance |")
    print("|---" * 9 + "|")
    for loss, weight in VARIANTS:
        with tempfile.TemporaryDirectory() as folder:
            for part in ("backbone", "encoder"):
                if (run_dir / part).exists():
                    (Path(folder) / part).symlink_to(run_dir / part)
            choice = [f"align.loss={loss}", f"align.contrastive_weight={weight}"]
            recipe = load_recipe(args.recipe, [*args.overrides, *choice, f"run_dir={folder}"])
            report = json.loads((align(recipe) / "alignment.json").read_text(encoding="utf-8"))
        print(
            f"| {loss} | {weight} | {report['distance']:.4f} | {report['mean_predictor']:.4f} "
            f"| {report['gain']:.1%} | {report['r@1']:.3f} | {report['r@10']:.3f} "
            f"| {report['mrr']:.3f} | {report['mrr_chance']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

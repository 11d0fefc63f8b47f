"""Is training at full size, killed and resumed, equal to the bit to training left alone?

    python benchmarks/full_size_resume.py --batch-size 2 --steps 4

Stage 2 in NF4 on a backbone of Qwen3-0.6B's configuration with random weights, bridge and adapter
as in `recipes/qwen3.yaml`, a checkpoint after every step. One run is left alone; another is killed
(SIGKILL) some seconds after its first checkpoint, and started again. Both end with a digest of all
that was trained. Every run is a process of its own. Writes one JSON object to standard output.
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from molcaption.engine.checkpoint import STATE_FILE

KEY = "full_size_resume"


def main() -> None:
    args = parse_args()
    if args.part:
        print(json.dumps(train(args)))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_base(Path(folder), args.set)
        alone, killed = Path(folder) / "alone", Path(folder) / "killed"
        undisturbed = finish(start(folder, alone))
        kill(start(folder, killed), killed / STATE_FILE, random.uniform(0, args.longest_wait))
        resumed = finish(start(folder, killed))
    report = {
        "undisturbed": undisturbed,
        "resumed": resumed,
        "equal": undisturbed["digest"] == resumed["digest"],
    }
    print(json.dumps(report, indent=1))
    if not report["equal"]:
        sys.exit("the resumed run ended elsewhere")


def make_base(folder: Path, changes: list[str]) -> None:
    """An untrained backbone in ``folder``."""
    script = str(Path(__file__).with_name("gpu_train.py"))
    command = [sys.executable, script, "--part", "base", "--folder", str(folder)]
    command += ["--set", *changes] if changes else []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def start(folder: str, run: Path) -> "subprocess.Popen[str]":
    """A run of training, with the options of this one."""
    command = [sys.executable, __file__, *sys.argv[1:], "--part", str(run), "--folder", folder]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What a run says at its end."""
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"training ended with exit code {process.returncode}")
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def kill(process: "subprocess.Popen[str]", checkpoint: Path, wait: float) -> None:
    """End a run the hard way, ``wait`` seconds after its first checkpoint."""
    while not checkpoint.exists():
        if process.poll() is not None:
            sys.exit("training ended before its first checkpoint")
        time.sleep(0.02)
    time.sleep(wait)
    process.kill()
    process.communicate()


def train(args: argparse.Namespace) -> dict[str, Any]:
    """Stage 2 to its end, from the checkpoint in ``args.part`` if there is one."""
    import torch
    from gpu_train import build_captioner, peak_bytes, repeated

    from molcaption.engine.loop import LoopSettings, fit
    from molcaption.nn.backbone import best_device, load_llm, load_tokenizer

    torch.manual_seed(0)
    device, tokenizer = best_device(), load_tokenizer(args.folder)
    llm = load_llm(args.folder, tokenizer, device=device, quantization="nf4")
    objective = repeated(build_captioner(llm, tokenizer), args)
    precision = "bf16" if device == "cuda" else "fp32"
    settings = LoopSettings(args.steps, lr=5e-4, save_every=1, precision=precision)
    fit(objective, settings, Path(args.part), key=KEY, label="finetune")
    digest = hashlib.sha256()
    for parameter in objective.parameters():
        if parameter.requires_grad:
            digest.update(parameter.detach().cpu().numpy().tobytes())
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "steps": len(objective.losses),
        "losses": [float(loss) for loss in objective.losses],
        "digest": digest.hexdigest(),
        "peak_bytes": peak_bytes(),
    }


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--length", type=int, default=256, help="tokens of a row")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--longest-wait", type=float, default=20.0, help="seconds")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=NUMBER", help="change Qwen3's configuration"
    )
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

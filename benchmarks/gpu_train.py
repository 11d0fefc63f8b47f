"""Speed, memory and losses of both training stages on a backbone of Qwen3-0.6B's configuration.

    python benchmarks/gpu_train.py                                          # one GPU
    python benchmarks/gpu_train.py --weights nf4 --batch-size 2 --steps 3   # the check on a CPU

The weights are random: neither time nor memory depends on them. Every kind of weights is measured
in a process of its own. Both stages go through the project's own loop, on one batch that repeats,
so that its loss must fall; stage 2's speed leaves out the first step, a warm-up. A step needs 4
operations for each frozen weight and token (forward, and back to the activations), those of the
output layer for tokens of the caption only; the limit is that of an H100 (SXM, dense bfloat16).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

PEAK = 989e12
"""Operations a second, NVIDIA's H100 data sheet."""
CAPTION = 91
"""Tokens of a caption, about as many as those of ChEBI have."""
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def main() -> None:
    args = parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](args)))
        return
    print("| weights | device | batch | tokens/s | of H100's limit | peak GB | stage 1 | stage 2 |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        run_part("base", folder)
        for weights in args.weights:
            print(row(run_part("train", folder, weights)), flush=True)


def run_part(part: str, folder: str, *weights: str) -> dict[str, Any]:
    """One part in a fresh process, with the options of this one."""
    command = [sys.executable, __file__, *sys.argv[1:], "--part", part, "--folder", folder]
    command += ["--weights", *weights] if weights else []
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def make_base(args: argparse.Namespace) -> dict[str, Any]:
    """An untrained backbone and its tokenizer in ``args.folder``."""
    import torch
    from untrained_captioner import backbone, tokenizer

    torch.manual_seed(0)
    changes = dict(change.split("=") for change in args.set)
    llm = backbone(None, {name: int(value) for name, value in changes.items()})
    llm.to(torch.bfloat16).save_pretrained(args.folder)
    tokenizer(None).save_pretrained(args.folder)
    return {"parameters": llm.num_parameters()}


def train(args: argparse.Namespace) -> dict[str, Any]:
    """Both stages on the backbone in ``args.folder``."""
    import torch

    from molcaption.nn.backbone import best_device, load_llm, load_tokenizer

    torch.manual_seed(0)
    (weights,) = args.weights
    device, tokenizer = best_device(), load_tokenizer(args.folder)
    llm = load_llm(
        args.folder, tokenizer, device=device, quantization="nf4" if weights == "nf4" else "none"
    ).to(device)
    captioner = build_captioner(llm, tokenizer)
    aligned = align(captioner, args)
    seconds, losses = finetune(captioner, args)
    tokens = args.batch_size * args.length * (len(seconds) - 1) / sum(seconds[1:])
    used = operations(llm, args.length) * tokens
    return {
        "weights": weights if weights == "nf4" else str(llm.dtype).removeprefix("torch."),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "batch": f"{args.batch_size} x {args.length}",
        "tokens_per_second": tokens,
        "share_of_limit": used / PEAK,
        "peak_bytes": peak_bytes(),
        "align": aligned,
        "finetune": losses,
    }


def build_captioner(llm: Any, tokenizer: Any) -> Any:
    """A captioner with the bridge and the adapter of `recipes/qwen3.yaml`."""
    from molcaption.nn.backbone import attach_adapter, embedding_norm, graph_token_id
    from molcaption.nn.bridge import Bridge
    from molcaption.nn.captioner import Captioner
    from molcaption.nn.encoder import EncoderConfig, MolGNN
    from molcaption.nn.projector import Projector, ProjectorConfig
    from molcaption.recipe import load_recipe

    recipe = load_recipe("qwen3")
    encoder = MolGNN(EncoderConfig(**recipe.encoder.model_dump()))
    encoder.requires_grad_(False)
    projector = ProjectorConfig(
        in_width=encoder.config.width,
        out_width=llm.config.hidden_size,
        out_norm=embedding_norm(llm),
        **recipe.projector.model_dump(),
    )
    assert recipe.backbone.adapter is not None
    adapted = attach_adapter(llm, **recipe.backbone.adapter.model_dump())
    return Captioner(Bridge(encoder, Projector(projector)), adapted, graph_token_id(tokenizer))


def align(captioner: Any, args: argparse.Namespace) -> list[float]:
    """Stage 1's distance before and after ``args.steps``."""
    import torch

    from molcaption.chem.graph import featurise
    from molcaption.chem.molecule import parse_smiles
    from molcaption.engine.embed import embed_texts, encode_graphs, scaled_to
    from molcaption.engine.loop import LoopSettings, fit
    from molcaption.engine.stage_align import AlignmentData, AlignObjective

    graphs = [featurise(parse_smiles("C" * n)) for n in range(1, 9)]
    texts = torch.randint(5, 300, (len(graphs), CAPTION)).tolist()
    bridge = captioner.bridge
    targets = embed_texts(captioner.llm, texts, "input_embeddings")
    targets = scaled_to(targets, bridge.projector.config.out_norm)
    data = AlignmentData(encode_graphs(bridge.encoder, graphs), targets)
    objective = AlignObjective(
        bridge.projector, data, data, loss="cosine", contrastive_weight=0.0, temperature=0.07,
        batch_size=len(graphs), seed=0,
    )  # fmt: skip
    before = objective.evaluate().metrics["distance"]
    with tempfile.TemporaryDirectory() as folder:
        fit(objective, LoopSettings(args.steps, lr=1e-3), Path(folder), key="", label="align")
    return [before, objective.evaluate().metrics["distance"]]


def finetune(captioner: Any, args: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Seconds and loss of each of stage 2's steps."""
    from molcaption.engine.loop import LoopSettings, fit

    objective = repeated(captioner, args)
    precision = "bf16" if captioner.llm.device.type == "cuda" else "fp32"
    settings = LoopSettings(args.steps, lr=5e-4, warmup=0.0, precision=precision)
    with tempfile.TemporaryDirectory() as folder:
        fit(objective, settings, Path(folder), key="", label="finetune")
    # A step ends where the next one begins; the last one where training does.
    marks = [*objective.begun, objective.evaluated]
    seconds = [after - before for before, after in pairwise(marks)]
    return seconds, [float(loss) for loss in objective.losses]


def repeated(captioner: Any, args: argparse.Namespace) -> Any:
    """Stage 2 on one batch of ``args.batch_size`` x ``args.length`` tokens, over and over."""
    import torch
    from torch import nn

    from molcaption.data.collate import Example, training_batch
    from molcaption.engine.loop import Evaluation
    from molcaption.engine.questions import questions

    (view, _), *_ = questions([ASPIRIN], None, None)
    spoken = min(CAPTION, args.length // 2)
    texts = torch.randint(5, 300, (args.batch_size, args.length)).tolist()
    examples = [
        Example(view, [captioner.graph_token_id, *ids[1:-spoken]], ids[-spoken:]) for ids in texts
    ]

    class Repeated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.captioner = captioner
            self.begun: list[float] = []
            self.losses: list[torch.Tensor] = []
            self.evaluated = 0.0

        def parameter_groups(self) -> list[dict[str, Any]]:
            return [{"params": [p for p in self.parameters() if p.requires_grad]}]

        def batches(self, epoch: int) -> list[list[int]]:
            return [list(range(args.batch_size))]

        def collate(self, indices: list[int], epoch: int) -> dict[str, Any]:
            return training_batch([examples[i] for i in indices], 0)

        def forward(self, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
            self.begun.append(now())
            loss = self.captioner(**batch)
            self.losses.append(loss.detach())
            return {"loss": loss}

        def evaluate(self) -> Evaluation:
            self.evaluated = now()
            return Evaluation({})

    return Repeated()


def now() -> float:
    """Seconds, once the GPU has done what it was told."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def operations(llm: Any, length: int) -> float:
    """Operations that a step of LoRA needs for each token."""
    config = llm.config
    heads = config.head_dim * (2 * config.num_attention_heads + 2 * config.num_key_value_heads)
    block = config.hidden_size * (heads + 3 * config.intermediate_size)
    head = config.hidden_size * config.vocab_size * min(CAPTION, length // 2) / length
    return 4 * (config.num_hidden_layers * block + head)


def peak_bytes() -> int:
    """Most memory in use so far: of the GPU where there is one, else of this process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    losses = [f"{found[stage][0]:.4f} → {found[stage][-1]:.4f}" for stage in ("align", "finetune")]
    cells = [
        found["weights"], found["device"], found["batch"], f"{found['tokens_per_second']:.0f}",
        f"{found['share_of_limit']:.2%}", f"{found['peak_bytes'] / 1e9:.2f}", *losses,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


PARTS = {"base": make_base, "train": train}


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", nargs="+", choices=["nf4", "plain"], default=["nf4", "plain"])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--length", type=int, default=256, help="tokens of a row")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=NUMBER", help="change Qwen3's configuration"
    )
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

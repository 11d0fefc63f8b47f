"""Fixtures that several test folders share."""

import json
import logging
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Before torch or a BLAS is imported: tiny models are slower on many threads than on one, and test
# runs must not crowd out what else runs on the machine.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests leave the user's cache folder alone."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository; tests that need it skip without it."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not there")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A merged model directory with random weights: Qwen3 architecture, 2 layers, 400 tokens."""
    import torch
    from safetensors.torch import save_file

    from molcaption.claims import load_lexicon
    from molcaption.data.features import FeatureVocabulary, features_of
    from molcaption.data.prompt import GRAPH_TOKEN, plain_prompt
    from molcaption.data.tokenizer import train_tokenizer
    from molcaption.nn.backbone import build_scratch, wrap_tokenizer
    from molcaption.nn.bridge import Bridge
    from molcaption.nn.encoder import EncoderConfig, MolGNN
    from molcaption.nn.profile import ProfileConfig, ProfileProjector
    from molcaption.nn.projector import Projector, ProjectorConfig

    directory = tmp_path_factory.mktemp("tiny") / "model"
    directory.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        texts = [plain_prompt(3), "The molecule is a monocarboxylic acid.", "CCO c1ccccc1 CC(=O)O"]
        tokenizer = wrap_tokenizer(train_tokenizer(texts, 400))
        sizes = {"hidden": 64, "layers": 2, "heads": 2, "kv_heads": 1, "head_dim": 32}
        llm = build_scratch(tokenizer, **sizes, intermediate=128)
        for parameter in llm.parameters():
            if parameter.ndim > 1:  # wide enough for captions that differ and sometimes end
                torch.nn.init.normal_(parameter, std=0.15)
        encoder_config = EncoderConfig(layers=2, hidden=32, width=48)
        projector_config = ProjectorConfig(48, 64, hidden=64, out_norm=1.5)
        known = features_of(["CCO", "CC(=O)O", "C[C@H](N)C(=O)O", "c1ccccc1C(=O)O"], load_lexicon())
        vocabulary = FeatureVocabulary.learn(known)
        profile_config = ProfileConfig(len(vocabulary.names), 64, tokens=2, hidden=16, out_norm=1.5)
        bridge = Bridge(
            MolGNN(encoder_config), Projector(projector_config), ProfileProjector(profile_config)
        )
    save_file(bridge.state_dict(), directory / "bridge.safetensors")
    vocabulary.save(directory)
    llm.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    config = {
        "schema": 1,
        "stage": "merged",
        "encoder": vars(encoder_config),
        "projector": vars(projector_config),
        "profile": vars(profile_config),
        "prompt": {"text": plain_prompt(3), "graph_token": GRAPH_TOKEN, "n_graph_tokens": 3},
        "graph_token_id": tokenizer.convert_tokens_to_ids(GRAPH_TOKEN),
        # a dozen ordinary tokens end a caption too, so that some end early and others never
        "end_token_ids": [tokenizer.eos_token_id, *range(100, 112)],
        "max_prompt_tokens": 200,
        "max_new_tokens": 24,
        "backbone": {"path": "scratch", "quantization": "none"},
        "provenance": {"version": "0", "recipe_name": "tiny", "recipe_hash": "0"},
    }
    (directory / "captioner.json").write_text(json.dumps(config), encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model: Path) -> Path:
    """`tiny_model` exported with float32 weights."""
    from molcaption.export import export

    directory = tiny_model.parent / "bundle"
    export(tiny_model, directory, "fp32")
    return directory


@pytest.fixture
def clean_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging is set up for a whole process: put it back after a test that does so."""
    for name in ("NO_COLOR", "TRANSFORMERS_VERBOSITY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    root, package = logging.getLogger(), logging.getLogger("molcaption")
    handlers, levels = root.handlers[:], (root.level, package.level)
    yield
    logging.captureWarnings(False)
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    package.setLevel(levels[1])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like a checkout, in which commands may leave their output."""
    for name in ("examples", "recipes"):
        (tmp_path / name).symlink_to(ROOT / name)
    script = tmp_path / "bin" / "molcaption"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m molcaption "$@"\n')
    script.chmod(0o755)
    return tmp_path

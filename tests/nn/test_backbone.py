"""The backbone: held in 4 bits, adapted, merged exactly; refused with a reason where unfit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from molcaption.data.prompt import plain_prompt
from molcaption.data.tokenizer import train_tokenizer
from molcaption.errors import BadDataError, BadRecipeError, MissingError
from molcaption.nn.backbone import (
    attach_adapter,
    build_scratch,
    load_adapter,
    load_llm,
    load_tokenizer,
    merge_adapter,
    recompute_activations,
    save_adapter,
    wrap_tokenizer,
)
from molcaption.nn.bridge import Bridge
from molcaption.nn.captioner import Captioner
from molcaption.nn.encoder import EncoderConfig, MolGNN
from molcaption.nn.pretrained import weight_files
from molcaption.nn.projector import Projector, ProjectorConfig
from molcaption.recipe_schema import AdapterRecipe

SEVEN = AdapterRecipe().targets
LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": SEVEN}
IDS = torch.arange(40).unsqueeze(0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory with a random decoder of the Qwen3 architecture and its tokenizer."""
    folder = str(tmp_path_factory.mktemp("base"))
    torch.manual_seed(0)
    tokenizer = wrap_tokenizer(train_tokenizer([plain_prompt(1), "The molecule is"], 300))
    sizes = {"hidden": 64, "layers": 2, "heads": 2, "kv_heads": 1, "head_dim": 32}
    llm = build_scratch(tokenizer, **sizes, intermediate=128)
    for parameter in llm.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    llm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def in_4_bits(folder: str) -> Any:
    return load_llm(folder, load_tokenizer(folder), quantization="nf4").eval()


@torch.no_grad()
def logits(llm: Any) -> torch.Tensor:
    return llm.eval()(input_ids=IDS).logits


@pytest.fixture(scope="module")
def adapted(base: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.Tensor]:
    """An adapter on the base in 4 bits, and the logits of both together."""
    llm = attach_adapter(in_4_bits(base), **LORA)
    torch.manual_seed(1)
    for name, parameter in llm.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    folder = tmp_path_factory.mktemp("adapter")
    save_adapter(llm, folder)
    return folder, logits(llm)


def test_4_bits_are_stored_and_all_seven_layers_adapted(base: str) -> None:
    llm = attach_adapter(in_4_bits(base), **LORA)
    packed = [p for p in llm.parameters() if p.dtype == torch.uint8]
    assert len(packed) == 2 * len(SEVEN)
    trained = {name.split(".lora_")[0] for name, p in llm.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * len(SEVEN)
    state = llm.get_base_model().model.layers[0].mlp.up_proj.base_layer.weight.quant_state
    assert (state.quant_type, state.nested) == ("nf4", True)


def test_merging_into_dequantised_weights_is_exact(
    base: str, adapted: tuple[Path, torch.Tensor]
) -> None:
    folder, expected = adapted
    merged = merge_adapter(in_4_bits(base), folder)
    torch.testing.assert_close(logits(merged), expected, atol=1e-4, rtol=0)


@pytest.mark.filterwarnings("ignore:Merge lora module to 4-bit:UserWarning")
def test_merging_into_4_bits_is_not(base: str, adapted: tuple[Path, torch.Tensor]) -> None:
    """Why `merge_adapter` is not peft's one call: it loses a good part of what was learnt."""
    folder, expected = adapted
    naive = load_adapter(in_4_bits(base), folder).merge_and_unload()
    error = (logits(naive) - expected).abs().mean()
    learnt = (expected - logits(in_4_bits(base))).abs().mean()
    assert error > 0.2 * learnt


def test_a_merged_backbone_is_a_plain_one(
    base: str, adapted: tuple[Path, torch.Tensor], tmp_path: Path
) -> None:
    folder, expected = adapted
    merge_adapter(in_4_bits(base), folder).save_pretrained(tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    names = AutoModelForCausalLM.from_pretrained(base).state_dict().keys()
    assert plain.state_dict().keys() == names
    assert plain.get_output_embeddings().weight is plain.get_input_embeddings().weight
    torch.testing.assert_close(logits(plain), expected, atol=1e-4, rtol=0)


def test_looking_changes_nothing(base: str) -> None:
    """A forward without gradient leaves weights and gradients as they were, whatever the CPU."""
    llm = attach_adapter(in_4_bits(base), **LORA)
    seen = logits(llm)
    looked = llm.train()(input_ids=IDS, labels=IDS)
    torch.testing.assert_close(looked.logits.detach(), seen, atol=1e-5, rtol=0)
    looked.loss.backward()
    fresh = attach_adapter(in_4_bits(base), **LORA).train()
    fresh.load_state_dict(llm.state_dict(), strict=False)
    fresh(input_ids=IDS, labels=IDS).loss.backward()
    for (name, one), other in zip(llm.named_parameters(), fresh.parameters(), strict=True):
        assert one.grad is None or torch.equal(one.grad, other.grad), name


def test_recomputed_activations_give_the_same_gradient(base: str) -> None:
    torch.manual_seed(2)
    llm = attach_adapter(in_4_bits(base), **{**LORA, "dropout": 0.1}).train()

    def gradients() -> tuple[list[torch.Tensor], int]:
        llm.zero_grad()
        torch.manual_seed(3)  # dropout
        kept = 0

        def count(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal kept
            kept += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            loss = llm(
                inputs_embeds=llm.get_input_embeddings()(IDS), labels=IDS, use_cache=False
            ).loss
        loss.backward()
        return [p.grad.clone() for p in llm.parameters() if p.requires_grad], kept

    expected, kept = gradients()
    recompute_activations(llm)
    found, fewer = gradients()
    assert fewer < kept / 2
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_rows_of_new_tokens_are_the_same_at_each_loading(base: str) -> None:
    tokenizer = load_tokenizer(base)
    rows = len(tokenizer)
    tokenizer.add_tokens(["<|one|>", "<|two|>"], special_tokens=True)
    first, second = (load_llm(base, tokenizer).get_input_embeddings().weight for _ in range(2))
    assert torch.equal(first, second)
    assert len(first) % 8 == 0
    assert len(first) >= len(tokenizer)
    old = load_llm(base, load_tokenizer(base)).get_input_embeddings().weight
    assert torch.equal(first[:rows], old)
    torch.testing.assert_close(first[rows:], old.mean(0).expand(len(first) - rows, -1))


def test_a_backbone_without_the_seven_names_is_refused(tmp_path: Path) -> None:
    llm = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1))
    with pytest.raises(BadRecipeError) as caught:
        attach_adapter(llm, **LORA)
    assert "q_proj, k_proj" in str(caught.value)
    assert "c_attn, c_proj, c_fc, lm_head" in str(caught.value)  # what it has instead
    assert "\n" not in str(caught.value)
    with pytest.warns(UserWarning, match="fan_in_fan_out"):  # peft's, on GPT-2's own kind of layer
        attach_adapter(llm, **{**LORA, "targets": ["c_attn"]})


def test_a_projector_of_another_width_is_refused(base: str) -> None:
    bridge = Bridge(MolGNN(EncoderConfig(1, 8, 8)), Projector(ProjectorConfig(8, 48, hidden=8)))
    with pytest.raises(BadDataError, match=r"width 48, but this one is 64 wide; run `molcap"):
        Captioner(bridge, load_llm(base, load_tokenizer(base)), 4)


def test_no_bitsandbytes(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "bitsandbytes", None)
    with pytest.raises(MissingError, match=r"pip install 'molcaption\[train\]', or --set"):
        load_llm(base, load_tokenizer(base), quantization="nf4")


@pytest.mark.parametrize("path", ["/nowhere/model", "some/model-never-loaded", "/nowhere/m.gguf"])
def test_no_weights(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingError) as caught:
        load_tokenizer(path)
    message = str(caught.value)
    assert message.startswith(f"backbone {path}: cannot be loaded (HF_HUB_OFFLINE is set): ")
    assert message.endswith("give a local directory with --set backbone.path=DIR")
    assert "\n" not in message
    assert weight_files(path) == []


def test_damaged_weights(base: str, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((Path(base) / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\x08" + bytes(20))
    with pytest.raises(MissingError, match="cannot be loaded"):
        load_llm(str(tmp_path), load_tokenizer(base))

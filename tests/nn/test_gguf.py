"""Backbones in llama.cpp's format: what transformers loses of them is given back."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from molcaption.data.prompt import GRAPH_TOKEN, chat_prompt
from molcaption.data.tokenizer import train_tokenizer
from molcaption.errors import BadRecipeError, MissingError
from molcaption.nn.backbone import load_llm, load_tokenizer
from molcaption.nn.pretrained import weight_files

gguf = pytest.importorskip("gguf")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WIDTH, INNER, LAYERS, HEADS = 32, 64, 2, 2


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama whose tokenizer has tokens of several digits, but says that it uses none."""
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", "smollm")


def write_gguf(path: Path, cut: str) -> Path:
    model = train_tokenizer(["12345 12345 a 1,2-diacyl lipid"] * 9, 300).to_str()
    vocabulary, merges = _vocabulary(model)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(cut)
    writer.add_token_list(vocabulary)
    writer.add_token_types([3] * 3 + [1] * (len(vocabulary) - 3))
    writer.add_token_merges(merges)
    for name, token_id in {"unk": 0, "bos": 1, "eos": 2, "pad": 2}.items():
        getattr(writer, f"add_{name}_token_id")(token_id)
    writer.add_chat_template(TEMPLATE)
    for name, shape in _shapes(len(vocabulary)).items():
        values = np.random.default_rng(len(name)).normal(0, 0.1, shape).astype(np.float32)
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary(model: str) -> tuple[list[str], list[str]]:
    import json

    bpe = json.loads(model)["model"]
    words = [word for word in bpe["vocab"] if not word.startswith("<|")]
    return SPECIAL + words, [" ".join(merge) for merge in bpe["merges"]]


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    for layer in range(LAYERS):
        block = {"attn_norm": (WIDTH,), "ffn_norm": (WIDTH,)}
        block |= dict.fromkeys(["attn_q", "attn_k", "attn_v", "attn_output"], (WIDTH, WIDTH))
        block |= dict.fromkeys(["ffn_gate", "ffn_up"], (INNER, WIDTH))
        block["ffn_down"] = (WIDTH, INNER)
        shapes |= {f"blk.{layer}.{name}.weight": shape for name, shape in block.items()}
    return shapes


def test_digits_stand_alone_where_the_file_says_so(file: Path, tmp_path: Path) -> None:
    tokens = load_tokenizer(str(file)).tokenize("a 12345")
    assert [token for token in tokens if token[-1].isdigit()] == list("12345")
    together = load_tokenizer(str(write_gguf(tmp_path / "other.gguf", "gpt-2"))).tokenize("a 12345")
    assert len(together) < len(tokens)  # so the vocabulary does hold longer ones


def test_padding_is_not_the_end(file: Path) -> None:
    tokenizer = load_tokenizer(str(file))
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    assert tokenizer.convert_tokens_to_ids(GRAPH_TOKEN) == len(tokenizer) - 1
    prompt = chat_prompt(tokenizer, 1)
    assert prompt.startswith(f"<|im_start|>user\nMolecule Structure: {GRAPH_TOKEN}")


def test_a_backbone_from_gguf_is_saved_as_a_plain_one(file: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(file))
    llm = load_llm(str(file), tokenizer).eval()
    assert llm.get_input_embeddings().num_embeddings >= len(tokenizer)
    llm.save_pretrained(tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = torch.tensor([tokenizer("a 1,2-diacyl lipid")["input_ids"]])
    with torch.no_grad():
        assert torch.equal(plain(input_ids=ids).logits, llm(input_ids=ids).logits)


def test_its_weights_are_the_file(file: Path) -> None:
    assert weight_files(str(file)) == [file]


def test_4_bits_once_more_are_refused(file: Path) -> None:
    with pytest.raises(BadRecipeError, match="use none, or a Hugging Face directory"):
        load_llm(str(file), load_tokenizer(str(file)), quantization="nf4")


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(30))
    with pytest.raises(MissingError, match="cannot be loaded"):
        load_tokenizer(str(path))


def test_no_gguf_package(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.modeling_gguf_pytorch_utils.is_gguf_available", lambda: False)
    with pytest.raises(MissingError, match=r"pip install 'molcaption\[train\]'"):
        load_tokenizer(str(file))

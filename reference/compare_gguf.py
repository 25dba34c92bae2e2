"""Files that `lightbox models quantize` writes, read by llama.cpp, by transformers and by lightbox itself.

    cargo build --release -p lightbox
    LLAMA_CPP_LIB_PATH=FOLDER python compare_gguf.py TARGET/release/lightbox WORK

Makes a random model with widths of the family's kind (hidden 512, so that blocks of 256 fit) in WORK, quantizes it to
every type, and asks for the log-probability of every token of one conversation: of lightbox (`lightbox run`), of
llama.cpp (llama-cpp-python 0.3.36) and of transformers in float32 over the values that the `gguf` package dequantizes from
the file. Needs requirements.txt, gguf and llama-cpp-python. llama.cpp and lightbox round activations to 8 bits before
products with quantized weights, each in its own way; transformers does not.
"""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

import checkpoint
import tokenizer
import weights
from cases import GEMMA, OLD_ROPE, SIGLIP, without

CASE = {
    "why": "widths that blocks of 256 fit",
    "text": without(
        GEMMA,
        hidden_size=512,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=128,
        query_pre_attn_scalar=128,
        layer_types=[("full" if i % 6 == 5 else "sliding") + "_attention" for i in range(8)],
        sliding_window=64,
        max_position_embeddings=2048,
        **OLD_ROPE,
    ),
    "vision": SIGLIP | {"image_size": 112, "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4},
    "tokens_per_image": 16,
    "dtype": "bfloat16",
    "naming": "hub",
    "padding": 3,
}
KINDS = ["q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"]
TOLERANCE = 0.1
"""Mean difference of a log-probability, in nats, that rounding activations to 8 bits may make on this model."""

LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_feedforward_layernorm": "post_ffw_norm",
}


def make(folder: Path):
    vocabulary = tokenizer.build()
    folder.mkdir(parents=True, exist_ok=True)
    config = checkpoint.settings(CASE, vocabulary)
    checkpoint.write_json(folder / "config.json", config)
    checkpoint.write_json(folder / "preprocessor_config.json", checkpoint.preprocessor(CASE))
    checkpoint.write_json(folder / "generation_config.json", {"eos_token_id": [1, 11]})
    model = Gemma3ForConditionalGeneration(Gemma3Config(**config))
    weights.fill(model, zlib.crc32(b"gguf"), CASE["text"]["hidden_size"])
    # Layers that add a little to the stream, as trained ones do: those of the goldens make much of every rounding.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "post_attention_layernorm" in name or "post_feedforward_layernorm" in name:
                parameter.mul_(0.1).sub_(0.95)
    checkpoint.save_weights(folder, model, CASE)
    tokenizer.save(folder)
    return model.float().eval()


def load_gguf(model, path: Path):
    """Puts the values of the file into the model; the norms of the file hold a one that the model adds itself."""
    tensors = {t.name: dequantize(t.data, t.tensor_type).astype(np.float32) for t in GGUFReader(path).tensors}

    def put(parameter, name, shift=0.0):
        parameter.copy_(torch.from_numpy(tensors.pop(name).reshape(tuple(parameter.shape)) - np.float32(shift)))

    with torch.no_grad():
        text = model.model.language_model
        put(text.embed_tokens.weight, "token_embd.weight")
        put(text.norm.weight, "output_norm.weight", 1.0)
        for i, layer in enumerate(text.layers):
            for ours, theirs in LAYER.items():
                put(layer.get_submodule(ours).weight, f"blk.{i}.{theirs}.weight", "norm" in ours)
    assert not tensors, list(tensors)
    # GGUF's readers scale embeddings with the root as it is.
    text.embed_tokens.embed_scale.fill_(CASE["text"]["hidden_size"] ** 0.5)


def told(logits, ids):
    rows = torch.log_softmax(torch.as_tensor(np.asarray(logits, dtype=np.float64)), -1)
    return rows[torch.arange(len(ids) - 1), torch.as_tensor(ids[1:])].numpy()


def of_llama_cpp(path: Path, ids):
    import llama_cpp

    llama = llama_cpp.Llama(str(path), n_ctx=1024, logits_all=True, verbose=False, n_threads=2)
    llama.eval(ids)
    return told(llama.scores[: len(ids) - 1], ids), llama


def of_lightbox(program, model, request: Path):
    run = subprocess.run(
        [program, "run", "--request", request, "--model", model, "--json"], capture_output=True, text=True
    )
    if run.returncode:
        sys.exit(run.stderr)
    return json.loads(run.stdout)


def main() -> None:
    torch.set_num_threads(2)
    program, work = sys.argv[1], Path(sys.argv[2])
    folder = work / "model"
    model = make(folder)
    text = "The heart is not enlarged. Both lungs are clear, and no effusion is seen on the left side. " * 3
    request = work / "request.json"
    request.write_text(
        json.dumps({"messages": [{"role": "user", "content": text}], "max_tokens": 1, "prompt_logprobs": 0})
    )
    worst = 0.0
    for kind in KINDS:
        out = work / kind
        command = [program, "models", "quantize", folder, "--type", kind, out, "--force", "--json"]
        written = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        path = out / written["text"]["file"]
        answer = of_lightbox(program, path, request)
        ids = answer["lightbox"]["prompt_token_ids"]
        ours = np.array([entry["logprob"] for entry in answer["lightbox"]["prompt_logprobs"][1:]])
        theirs, llama = of_llama_cpp(path, ids)
        prompt = f"<bos><start_of_turn>user\n{text.strip()}<end_of_turn>\n<start_of_turn>model\n"
        assert llama.tokenize(prompt.encode(), add_bos=False, special=True) == ids
        load_gguf(model, path)
        with torch.no_grad():
            exact = told(model(input_ids=torch.tensor([ids])).logits[0, :-1], ids)
        off = [np.abs(a - b) for a, b in ((ours, theirs), (ours, exact), (theirs, exact))]
        worst = max(worst, off[0].mean())
        print(
            f"{kind:7} {len(ids)} tokens; mean (largest) difference: "
            f"lightbox - llama.cpp {off[0].mean():.4f} ({off[0].max():.3f}), "
            f"lightbox - transformers {off[1].mean():.4f} ({off[1].max():.3f}), "
            f"llama.cpp - transformers {off[2].mean():.4f} ({off[2].max():.3f})"
        )
    assert worst <= TOLERANCE, f"{worst:.4f} is more than {TOLERANCE}"


if __name__ == "__main__":
    main()

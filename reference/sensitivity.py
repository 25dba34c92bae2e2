"""How far each classic mistake moves log-probabilities: the reason to trust the tolerance of the golden tests.

Each mistake is made in transformers itself, on the checkpoints of goldens/; the table goes into README.md. A mistake
that moved nothing would mean that the goldens are blind to it.
"""

import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer, Gemma3Processor
from transformers.models.gemma3 import modeling_gemma3 as gemma3
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

import golden
from cases import CASES

OUT = Path(__file__).parent / "goldens"


def prepared(name: str):
    case = CASES[name]
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary)
        golden.compose(OUT / name, OUT, whole)
        tok = AutoTokenizer.from_pretrained(whole)
        processor = None
        if case["vision"] is not None:
            processor = Gemma3Processor(
                image_processor=Gemma3ImageProcessorPil.from_pretrained(whole),
                tokenizer=tok,
                chat_template=tok.chat_template,
                image_seq_length=case["tokens_per_image"],
            )
        model, text = golden.load(whole, case)
    inputs = [golden.inputs_of(m, case, tok, processor, OUT)[1] for m in case["conversations"].values()]
    return model, text, inputs


def run(model, inputs) -> list:
    return [golden.forward(model, i, i["input_ids"]) for i in inputs]


def exact_scale(model, text, inputs):
    text.embed_tokens.embed_scale.fill_(text.config.hidden_size**0.5)


def scaled_images(model, text, inputs):
    weight = model.model.multi_modal_projector.mm_input_projection_weight
    weight.data *= text.embed_tokens.embed_scale


def no_linear_rope(model, text, inputs):
    text.rotary_emb.full_attention_inv_freq.copy_(text.rotary_emb.sliding_attention_inv_freq.new_tensor(
        [1.0 / text.config.rope_parameters["full_attention"]["rope_theta"] ** (i / text.config.head_dim)
         for i in range(0, text.config.head_dim, 2)]
    ))


def linear_rope_everywhere(model, text, inputs):
    text.rotary_emb.sliding_attention_inv_freq /= text.config.rope_parameters["full_attention"]["factor"]


def window(change):
    def make(model, text, inputs):
        for config in {id(model.config.get_text_config()): model.config.get_text_config(), id(text.config): text.config}.values():
            config.sliding_window += change
    return make


def head_dim_scale(model, text, inputs):
    for layer in text.layers:
        layer.self_attn.scaling = text.config.head_dim**-0.5


def causal_images(model, text, inputs):
    for i in inputs:
        if "token_type_ids" in i:
            i["token_type_ids"] = torch.zeros_like(i["token_type_ids"])


def erf_gelu(model, text, inputs):
    for module in model.modules():
        for name in ("act_fn", "activation_fn"):
            if hasattr(module, name):
                setattr(module, name, torch.nn.GELU())


def epsilon(model, text, inputs):
    for module in model.modules():
        if isinstance(module, gemma3.Gemma3RMSNorm):
            module.eps *= 10


def projector_epsilon(model, text, inputs):
    model.model.multi_modal_projector.mm_soft_emb_norm.eps *= 10


def bf16_activations(model, text, inputs):
    for module in (model.lm_head,):
        module.register_forward_pre_hook(lambda m, args: (args[0].bfloat16().float(),))


MISTAKES = {
    "embedding factor not rounded to bf16": (exact_scale, "image-bf16"),
    "image features scaled like embeddings": (scaled_images, "image-bf16"),
    "linear rotary scaling left out": (no_linear_rope, "text-f32"),
    "linear rotary scaling on sliding layers too": (linear_rope_everywhere, "text-f32"),
    "window one position too long": (window(1), "text-f32"),
    "window one position too short": (window(-1), "image-112"),
    "attention scale from head_dim": (head_dim_scale, "scale-27b"),
    "picture blocks causal": (causal_images, "image-112"),
    "exact GELU instead of the tanh form": (erf_gelu, "text-f32"),
    "every RMS norm's epsilon ten times as large": (epsilon, "text-f32"),
    "the projector norm's epsilon ten times as large": (projector_epsilon, "odd"),
    "last hidden state rounded to bf16": (bf16_activations, "text-f32"),
}


def main() -> None:
    warnings.filterwarnings("ignore")
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    print("| mistake | checkpoint | largest change of a log-probability |\n|---|---|---|")
    for what, (make, name) in MISTAKES.items():
        model, text, inputs = prepared(name)
        with torch.no_grad():
            right = run(model, inputs)
            make(model, text, inputs)
            wrong = run(model, inputs)
        change = max((a - b).abs().max().item() for a, b in zip(right, wrong))
        print(f"| {what} | {name} | {change:.2g} |")


if __name__ == "__main__":
    main()

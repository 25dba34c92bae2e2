"""The checkpoints and what is asked of each. Sizes are small and odd; each case exists for the reason in `why`."""

import copy

PICTURE = "pictures/{}.png"


def image(name: str) -> dict:
    return {"type": "image_url", "image_url": {"url": PICTURE.format(name)}}


def text(words: str) -> dict:
    return {"type": "text", "text": words}


def user(*parts) -> dict:
    return {"role": "user", "content": parts[0] if len(parts) == 1 and isinstance(parts[0], str) else list(parts)}


def assistant(words: str) -> dict:
    return {"role": "assistant", "content": words}


def system(words: str) -> dict:
    return {"role": "system", "content": words}


SHORT = [user("  Is the heart enlarged? ")]
TURNS = [
    system("You are a careful assistant. "),
    user("What is the size of the lesion?"),
    assistant("The lesion measures 12 mm in the long axis.\n\nIt has improved."),
    user(text("And the liver,"), text(" the spleen?\n"), text("  Naïve question — 肺 🫁\t(x)  ")),
]
LONG = [
    user(
        "History: a patient of 64 years presents with fever, cough and shortness of breath for 3 days.\n\n\n"
        "Laboratory: hemoglobin 13.2 g/dL, sodium 139 mmol/L, potassium 4.1 mmol/L, creatinine 0.9 mg/dL.\n"
        "Prior study: opacity in the left lower lobe; small pleural effusion on the right side.\n"
        "List common, less common and rare causes.    Then give an impression of what could be seen, "
        "what is not included, and what should be compared with the prior study; not a diagnosis."
    ),
]
ONE_IMAGE = [user(text("Describe the findings."), image("wide"), text("Is the image quality limited?"))]
IMAGE_FIRST = [user(image("tall"), text("\n\nDescribe this picture in one paragraph."))]
IMAGES = [
    system("Say what you cannot see."),
    user(image("gray"), image("tiny"), text("SLICE 1"), image("strip"), text("SLICE 2 "), text("\nCompare.")),
    assistant("The lung window shows no change."),
    user(text("And here?\n"), image("large"), text("\n")),
]

SIGLIP = {
    "model_type": "siglip_vision_model",
    "hidden_size": 24,
    "intermediate_size": 44,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 14,
    "image_size": 56,
    "num_channels": 3,
    "hidden_act": "gelu_pytorch_tanh",
    "layer_norm_eps": 1e-6,
    "attention_dropout": 0.0,
    "vision_use_head": False,
}
GEMMA = {
    "model_type": "gemma3_text",
    "hidden_size": 40,
    "intermediate_size": 56,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "query_pre_attn_scalar": 16,
    "sliding_window": 16,
    "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-6,
    "hidden_activation": "gelu_pytorch_tanh",
    "attention_bias": False,
    "attention_dropout": 0.0,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "initializer_range": 0.02,
    "use_cache": True,
}
# The three keys that rotary settings had before transformers 5.
OLD_ROPE = {"rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}


def without(base: dict, *keys: str, **changes) -> dict:
    return {k: v for k, v in copy.deepcopy(base).items() if k not in keys} | changes


# dtype: how weights are stored. `padding`: rows of the embedding table beyond the tokenizer (negative: fewer rows).
CASES = {
    "text-f32": {
        "why": "text only, float32, grouped heads, sliding window shorter than the prompt, rotary settings as version 5 writes them",
        "text": without(
            GEMMA,
            rope_parameters={
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
            },
        ),
        "vision": None,
        "dtype": "float32",
        "naming": "modern",
        "padding": 3,
        "conversations": {"short": SHORT, "turns": TURNS, "long": LONG},
        "intermediates": "short",
    },
    "image-bf16": {
        "why": "like 4B: hub tensor names, bf16 weights with float32 activations and the rounded embedding factor, old rotary keys",
        "text": without(GEMMA, **OLD_ROPE),
        "vision": SIGLIP,
        "tokens_per_image": 4,
        "dtype": "bfloat16",
        "naming": "hub",
        "padding": 16,
        "conversations": {"one-image": ONE_IMAGE, "image-first": IMAGE_FIRST, "text": TURNS, "images": IMAGES},
        "intermediates": "one-image",
    },
}

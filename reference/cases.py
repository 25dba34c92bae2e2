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


NOTES = [
    system("Answer in short sentences."),
    user(
        text("Compare with the prior study: the opacity in the left lower lobe has improved.\n\n"),
        text("1. There is a small pleural effusion on the right side with adjacent atelectasis.\n"),
        text("2. No pneumothorax is seen, and the osseous structures are intact.\n\n\n\n"),
        text("What is the most likely explanation of the finding in the upper right corner?"),
    ),
    assistant("The finding in the upper right corner is a marker of the film, not a lesion."),
    user("  Is the trachea in the midline, and are the lungs clear?  Say so if you cannot see it.\n"),
    assistant(
        "The trachea is in the midline; the lungs are clear without focal consolidation. "
        "The image quality is limited by motion: the lower part of the chest is not included."
    ),
    user("New, improved, worsened or unchanged? One word, then one sentence. (Zürich, 37.2 °C, SpO₂ 97 %)"),
]
BEFORE_AND_AFTER = [
    user(image("tiny"), text("Prior."), image("wide"), text("Current.   Compare the slices: 1, 2, 3."), image("gray")),
]
SQUARE = [user(text("Exactly the size of the tower:"), image("square"))]

# dtype: how weights are stored. padding: rows of the embedding table beyond the tokenizer's ids, negative for fewer.
# reseed: chosen so that greedy answers use many different tokens.
# eos: what generation_config.json says ends a turn (1 and 11 are <eos> and <end_of_turn> of the shared tokenizer).
CASES = {
    "text-f32": {
        "why": "text only, float32, grouped heads, a window shorter than the prompt, settings as version 5 saves them",
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
    "text-legacy": {
        "why": "text only, bf16, the older keys (a pattern for layer kinds, three rotary keys), several turns with a system message",
        "text": without(
            GEMMA,
            "layer_types",
            sliding_window_pattern=3,
            num_hidden_layers=5,
            sliding_window=24,
            rope_theta=1000000.0,
            rope_local_base_freq=10000.0,
            rope_scaling={"factor": 4.0, "rope_type": "linear"},
        ),
        "vision": None,
        "dtype": "bfloat16",
        "naming": "modern",
        "plain": True,
        "padding": 0,
        "conversations": {"notes": NOTES, "short": SHORT},
    },
    "text-untied": {
        "why": "text only, f16, an output head of its own, one key/value head, the default pattern of layers, no rotary scaling, a third end token",
        "text": without(
            GEMMA,
            "layer_types",
            num_hidden_layers=7,
            hidden_size=32,
            intermediate_size=40,
            head_dim=8,
            num_key_value_heads=1,
            query_pre_attn_scalar=8,
            sliding_window=32,
            rope_theta=500000.0,
            rope_local_base_freq=5000.0,
            rope_scaling=None,
        ),
        "vision": None,
        "dtype": "float16",
        "naming": "modern",
        "plain": True,
        "tied": False,
        "reseed": 3,
        "padding": 7,
        "eos": [1, 11, 480],
        "conversations": {"turns": TURNS, "long": LONG},
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
    "image-112": {
        "why": "64 patches to 16 tokens a picture, a window shorter than a picture's block, names and settings as version 5 saves them",
        "text": without(
            GEMMA,
            num_hidden_layers=3,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            sliding_window=11,
            rope_parameters={
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
            },
        ),
        "vision": SIGLIP | {"image_size": 112},
        "tokens_per_image": 16,
        "dtype": "bfloat16",
        "naming": "modern",
        "reseed": 10,
        "padding": 16,
        "conversations": {"one-image": ONE_IMAGE, "before-and-after": BEFORE_AND_AFTER},
    },
    "image-84": {
        "why": "36 patches to 9 tokens a picture, f16, every naming in one file, a stored copy of the tied head, other means and deviations of the pixels",
        "text": without(
            GEMMA, num_hidden_layers=3, layer_types=["full_attention", "sliding_attention", "full_attention"], **OLD_ROPE
        ),
        "vision": SIGLIP | {"image_size": 84, "num_hidden_layers": 1},
        "tokens_per_image": 9,
        "dtype": "float16",
        "naming": "mixed",
        "copy_of_head": True,
        "image_mean": [0.48, 0.5, 0.52],
        "image_std": [0.25, 0.5, 0.4],
        "reseed": 9,
        "padding": 16,
        "conversations": {"images": IMAGES, "square": SQUARE},
    },
    "scale-27b": {
        "why": "like 27B: query_pre_attn_scalar other than head_dim, eight query heads on four; two shards with an index; names of versions 4.52 to 4.57",
        "text": without(
            GEMMA,
            hidden_size=48,
            num_hidden_layers=3,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            num_attention_heads=8,
            num_key_value_heads=4,
            head_dim=8,
            query_pre_attn_scalar=21,
            **OLD_ROPE,
        ),
        "vision": SIGLIP | {"num_hidden_layers": 1},
        "tokens_per_image": 4,
        "dtype": "bfloat16",
        "naming": "middle",
        "shards": True,
        "reseed": 6,
        "padding": 16,
        "conversations": {"one-image": ONE_IMAGE, "before-and-after": BEFORE_AND_AFTER, "turns": TURNS},
    },
    "image-untied": {
        "why": "pictures with an output head of its own under the hub's names",
        "text": without(GEMMA, num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], **OLD_ROPE),
        "vision": SIGLIP | {"num_hidden_layers": 1},
        "tokens_per_image": 4,
        "dtype": "bfloat16",
        "naming": "hub",
        "tied": False,
        "padding": 16,
        "conversations": {"image-first": IMAGE_FIRST, "images": IMAGES},
    },
    "image-outside": {
        "why": "the id of the soft image token lies beyond the embedding table, one token a picture",
        "text": without(GEMMA, num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], **OLD_ROPE),
        "vision": SIGLIP | {"num_hidden_layers": 1},
        "tokens_per_image": 1,
        "dtype": "bfloat16",
        "naming": "hub",
        "reseed": 7,
        "padding": -1,
        "conversations": {"one-image": ONE_IMAGE, "before-and-after": BEFORE_AND_AFTER},
    },
    "odd": {
        "why": "sizes that are multiples of nothing, float32; a tower that leaves out a rim of pixels and of patches",
        "text": without(
            GEMMA,
            hidden_size=36,
            intermediate_size=50,
            num_hidden_layers=2,
            layer_types=["sliding_attention", "full_attention"],
            num_attention_heads=6,
            num_key_value_heads=2,
            head_dim=10,
            query_pre_attn_scalar=10,
            sliding_window=13,
            rms_norm_eps=1e-5,
            **OLD_ROPE,
        ),
        "vision": SIGLIP
        | {
            "hidden_size": 30,
            "intermediate_size": 34,
            "num_hidden_layers": 1,
            "num_attention_heads": 3,
            "image_size": 73,
            "layer_norm_eps": 1e-5,
        },
        "tokens_per_image": 4,
        "dtype": "float32",
        "naming": "hub",
        "reseed": 3,
        "padding": 2,
        "conversations": {"one-image": ONE_IMAGE, "images": IMAGES},
    },
}

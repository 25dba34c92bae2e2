"""Random weights that leave nothing to chance: no norm, bias or position embedding is 0 or 1 by accident.

The scales make logits vary (standard deviation about 2), attention choose (not uniform) and layers outweigh the
embedding, so that a mistake anywhere moves log-probabilities by far more than rounding does.
"""

import math

import numpy as np


def tensor(name: str, shape: tuple[int, ...], rng: np.random.Generator, text_width: int) -> np.ndarray:
    """One tensor by its transformers 5 module name, float32."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    vision = "vision_tower" in name
    if name.endswith("position_embedding.weight"):
        return noise * 0.5
    if "patch_embedding.weight" in name:
        return noise * (1.5 / math.sqrt(math.prod(shape[1:])))
    if name.endswith(".bias"):
        return noise * 0.2
    if "embed_tokens" in name or name.startswith("lm_head"):
        return noise * (2.2 / math.sqrt(text_width))
    if "mm_input_projection_weight" in name:
        return noise * (2.0 / math.sqrt(shape[0]))
    if vision and "norm" in name:
        return 1.0 + noise * 0.25
    if "q_norm" in name or "k_norm" in name:
        return 0.8 + noise * 0.3
    if "post_attention_layernorm" in name or "post_feedforward_layernorm" in name:
        return 2.5 + noise * 0.4
    if "norm" in name:
        return 0.1 + noise * 0.3
    gain = 1.6 if vision and "q_proj" in name else 1.0
    return noise * (gain / math.sqrt(shape[-1]))


def fill(model, seed: int, text_width: int) -> None:
    """Replaces every parameter of a transformers model, in the order of the sorted names."""
    import torch

    rng = np.random.Generator(np.random.PCG64(seed))
    parameters = dict(model.named_parameters(remove_duplicate=True))
    with torch.no_grad():
        for name in sorted(parameters):
            p = parameters[name]
            p.copy_(torch.from_numpy(tensor(name, tuple(p.shape), rng, text_width)))

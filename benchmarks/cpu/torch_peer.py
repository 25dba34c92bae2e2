"""The peer PyTorch with transformers: `torch_peer.py FOLDER TASK TYPE THREADS LAYERS TOKENS`. Prints one JSON line.

TASK is `image` (tower and projector, one picture of the model's own size), `prefill` (TOKENS tokens) or `decode` (8 tokens
after TOKENS). The text model is cut to LAYERS layers, and the time is multiplied so that it stands for all of them; the output
head is timed apart (decode) or left out (prefill), which favours this peer. TYPE is the type of weights and activations.
"""

import copy
import json
import sys
import time
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, DynamicCache, Gemma3ForConditionalGeneration


def main() -> None:
    folder, task, kind, threads, layers, tokens = sys.argv[1:]
    layers, tokens = int(layers), int(tokens)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(int(threads))
    config = AutoConfig.from_pretrained(folder)
    whole = copy.deepcopy(config.text_config)
    layers = min(layers, whole.num_hidden_layers)
    config.text_config.num_hidden_layers = layers
    config.text_config.layer_types = whole.layer_types[:layers]
    if task != "image":
        config.vision_config.num_hidden_layers = 1
    start = time.perf_counter()
    model = Gemma3ForConditionalGeneration.from_pretrained(folder, config=config, dtype=getattr(torch, kind)).eval()
    load = time.perf_counter() - start
    scaled = whole.num_hidden_layers / layers
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        # Threads and libraries start before the clock does.
        once = torch.rand((256, 256), dtype=model.dtype)
        torch.nn.functional.scaled_dot_product_attention(once[None, None], once[None, None], once[None, None]) @ once
        if task == "image":
            side = config.vision_config.image_size
            pixels = torch.rand((1, 3, side, side), generator=generator).mul(2).sub(1).to(model.dtype)
            start = time.perf_counter()
            out = model.model.get_image_features(pixels, return_dict=True)
            seconds, scaled = time.perf_counter() - start, 1.0
            finite = bool(torch.isfinite(out.pooler_output if hasattr(out, "pooler_output") else out[0]).all())
        else:
            text = model.model.language_model
            ids = torch.randint(300, 600, (1, tokens), generator=generator)
            text(input_ids=ids[:, :8], use_cache=False)
            cache = DynamicCache(config=config.text_config)
            start = time.perf_counter()
            out = text(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state
            seconds = (time.perf_counter() - start) * scaled
            if task == "decode":
                steps = []
                for _ in range(8):
                    start = time.perf_counter()
                    out = text(input_ids=ids[:, :1], past_key_values=cache, use_cache=True).last_hidden_state
                    middle = time.perf_counter()
                    logits = model.lm_head(out[:, -1])
                    steps.append((middle - start) * scaled + time.perf_counter() - middle)
                    int(logits.argmax())
                seconds = sorted(steps)[len(steps) // 2]
            finite = bool(torch.isfinite(out).all())
    version = f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {kind}"
    answer = {"seconds": seconds, "load": load, "scaled": scaled, "finite": finite, "version": version}
    print(json.dumps(answer | {"capability": torch.backends.cpu.get_cpu_capability(), "folder": Path(folder).name}))


if __name__ == "__main__":
    main()

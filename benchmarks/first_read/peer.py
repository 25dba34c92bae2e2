"""One request through transformers on PyTorch, CPU: `peer.py MODEL REQUEST TYPE THREADS`. Prints one JSON line.

TYPE is `bfloat16` (weights and activations) or `float32` (both; the embedding factor stays rounded to bf16, so that
the numbers are those of lightbox, which keeps weights in bf16 and computes in float32). Attention is transformers' own
choice (sdpa). Greedy, no early stop.
"""

import json
import sys
import time
from pathlib import Path

import torch
import transformers
from PIL import Image
from transformers import AutoTokenizer, DynamicCache, Gemma3ForConditionalGeneration, Gemma3Processor
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil


def milliseconds(since: float) -> float:
    return (time.perf_counter() - since) * 1000.0


def main() -> None:
    folder, request_path, kind, threads = sys.argv[1:]
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(int(threads))
    request = json.loads(Path(request_path).read_text())

    start = time.perf_counter()
    model = Gemma3ForConditionalGeneration.from_pretrained(folder, dtype=getattr(torch, kind)).eval()
    scale = model.model.language_model.embed_tokens.embed_scale
    scale.copy_(scale.to(torch.bfloat16))
    tok = AutoTokenizer.from_pretrained(folder)
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil.from_pretrained(folder),
        tokenizer=tok,
        chat_template=tok.chat_template,
        image_seq_length=model.config.mm_tokens_per_image,
    )
    load_ms = milliseconds(start)

    pictures, turns = [], []
    for message in request["messages"]:
        content = message["content"]
        if not isinstance(content, str):
            pictures += [Image.open(p["image_url"]["url"]) for p in content if p["type"] == "image_url"]
            content = [{"type": "image"} if p["type"] == "image_url" else p for p in content]
        turns.append({"role": message["role"], "content": content})
    text = tok.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)

    with torch.inference_mode():
        start = time.perf_counter()
        batch = processor(text=text, images=[pictures], add_special_tokens=False, return_tensors="pt")
        features = model.model.get_image_features(batch["pixel_values"].to(model.dtype), return_dict=True)
        image_ms = milliseconds(start)

        start = time.perf_counter()
        cache = DynamicCache(config=model.config.get_text_config())
        out = model(
            input_ids=batch["input_ids"],
            token_type_ids=batch["token_type_ids"],
            mm_encoder_outputs={"image": features},
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = out.logits[0, -1].float()
        prefill_ms = milliseconds(start)

        start = time.perf_counter()
        ids, logprobs = [], []
        while True:
            row = torch.log_softmax(logits, dim=-1)
            best = int(row.argmax())
            ids.append(best)
            logprobs.append(row[best].item())
            if len(ids) == request["max_tokens"]:
                break
            out = model(input_ids=torch.tensor([[best]]), past_key_values=cache, use_cache=True)
            logits = out.logits[0, -1].float()
        decode_ms = milliseconds(start)

    answer = {
        "timings": {"load": load_ms, "image": image_ms, "prefill": prefill_ms, "decode": decode_ms},
        "prompt_token_ids": batch["input_ids"][0].tolist(),
        "completion_token_ids": ids,
        "logprobs": logprobs,
        "version": f"transformers {transformers.__version__}, PyTorch {torch.__version__}, {kind}, {threads} threads",
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

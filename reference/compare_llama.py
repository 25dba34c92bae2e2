"""The same GGUF files in llama.cpp and in lightbox: ids equal, log-probabilities within a tolerance.

Makes a small random model of Gemma 3's shape (text model and projector), asks both programs the same, and prints one
line a comparison; the exit code is 1 if one fails. Needs numpy, pillow and gguf 0.19.0 (PyPI), a build of llama.cpp
(commit 0c1e570, as llama-cpp-python 0.3.36 carries it: `llama-server`, `llama-quantize`) and of lightbox:

    python compare_llama.py --llama FOLDER_OF_PROGRAMS --lightbox ../target/release/lightbox
    python compare_llama.py … --vocabulary FILE.gguf     # ids of that file's vocabulary too; the weights are not used

Weights are in f32, then in q8_0 and q4_k. Both programs round activations to 8 bits before they multiply with
quantized weights, each in its own way, so the tolerance is wider there.
"""

import argparse
import base64
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import gguf
import numpy as np
from PIL import Image

HERE = Path(__file__).parent

SEED = 20
TEXT = {"layers": 7, "width": 256, "inner": 512, "heads": 4, "kv": 2, "head": 64, "window": 32, "context": 2048}
VISION = {"layers": 2, "width": 64, "inner": 96, "heads": 2, "patch": 14, "image": 224, "pool": 4}

# The largest difference of a log-probability that counts as equal, by the type of the weights. llama.cpp keeps the
# quotients of GELU and exponentials in tables of 16 bits; the rest of the difference is the order of sums.
TOLERANCE = {"f32": 2e-3, "q8_0": 0.05, "q4_k": 0.08}
TOLERANCE_IMAGE = {"f32": 1e-2, "q8_0": 0.08, "q4_k": 0.12}

TEMPLATE = (HERE / "chat_template.jinja").read_text(encoding="utf-8")

AWKWARD = [
    "", " ", "  ", "   a", "a  b   c    d", " " * 40, "x" + " " * 33 + "y", "\n", "\n" * 40, "\t", "a\tb\t\tc", "\r\n", "▁", "a▁b",
    "é e\u0301 \u0301", "👩‍⚕️🫁 ok", "肺炎的影像", "العربية हिन्दी ไทย", "x\u00a0\u3000\u200bx", "=" * 37, "-----", "(----)", "ab" * 300,
    "<0x41>", "<unused94>thought<unused95>x", "<td>cell</td>", "<start_of_turn", "a<end_of_turn>b", "3.14 12mm 2024-05-01",
    "lung" * 200, "Is the heart enlarged?  Naïve question — (x)", "🫠" * 20, "\u0000\u0001", "\U0010ffff\ufffe",
]

# Where llama.cpp parts from the family's tokenizer.json and chat template, which lightbox follows.
APART = {
    "▁▁ ▁": "a run of the letter that stands for a space is a piece in tokenizer.json; converters write that piece as spaces",
    "\u00a0\u3000x": "llama.cpp's template language trims ASCII white space only, Python's all of Unicode's",
}


def random(rng, *shape, scale=None):
    scale = shape[-1] ** -0.5 if scale is None else scale
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def vocabulary_of_phantom():
    """The bundled tokenizer as a converter of tokenizer.model would have it: scores are minus the rank of a merge."""
    tokenizer = json.loads((HERE / "../crates/models/phantom/tokenizer.json").read_text(encoding="utf-8"))
    pieces = dict(tokenizer["model"]["vocab"])
    added = {t["content"]: t for t in tokenizer["added_tokens"]}
    pieces |= {text: t["id"] for text, t in added.items()}
    rank = {}
    for i, (left, right) in enumerate(tokenizer["model"]["merges"]):
        rank.setdefault(left + right, i)
    tokens, scores, kinds = [], [], []
    for text, _ in sorted(pieces.items(), key=lambda pair: pair[1]):
        kind, score = gguf.TokenType.NORMAL, -float(rank.get(text, 100_000))
        if text in added:
            kind, score = gguf.TokenType.CONTROL if added[text]["special"] else gguf.TokenType.USER_DEFINED, -1000.0
        elif text.startswith("<0x"):
            kind, score = gguf.TokenType.BYTE, 0.0
        tokens.append(text.replace("▁", " ") if kind == gguf.TokenType.USER_DEFINED else text)
        scores.append(score)
        kinds.append(kind)
    return tokens, scores, kinds


def vocabulary_of_file(path):
    """A vocabulary with merges, or with scores, as one with scores: Gemma's merges come from scores and say them."""
    fields = gguf.GGUFReader(path).fields
    value = lambda key: fields[key].contents()
    tokens, kinds = value("tokenizer.ggml.tokens"), value("tokenizer.ggml.token_type")
    if "tokenizer.ggml.merges" not in fields:
        return tokens, value("tokenizer.ggml.scores"), kinds
    rank = {}
    for i, merge in enumerate(value("tokenizer.ggml.merges")):
        rank.setdefault(merge.replace(" ", ""), i)
    scores = [-float(rank.get(t, 10_000_000)) for t in tokens]
    order = {s: -float(i) for i, s in enumerate(sorted(set(scores), reverse=True))}  # float32 holds small steps only
    for i, text in enumerate(tokens):
        is_run = len(text) > 0 and (text.strip("▁") == "" and len(text) > 1 or text.strip("\n") == "" or text.strip("\t") == "" and len(text) > 1)
        if is_run or text.startswith("<unused"):
            kinds[i] = gguf.TokenType.USER_DEFINED
            tokens[i] = text.replace("▁", " ")
    return tokens, [order[s] for s in scores], kinds


def add_vocabulary(writer, words):
    tokens, scores, kinds = words
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(tokens.index("<bos>"))
    writer.add_eos_token_id(tokens.index("<eos>"))
    writer.add_unk_token_id(tokens.index("<unk>"))
    writer.add_pad_token_id(tokens.index("<pad>"))
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


def write_text(path, words, store, size=TEXT):
    """The text model; `store` turns a matrix into what is stored of it."""
    rng = np.random.default_rng(SEED)
    w = gguf.GGUFWriter(path, "gemma3")
    w.add_name("random, of Gemma 3's shape")
    w.add_context_length(size["context"])
    w.add_embedding_length(size["width"])
    w.add_block_count(size["layers"])
    w.add_feed_forward_length(size["inner"])
    w.add_head_count(size["heads"])
    w.add_head_count_kv(size["kv"])
    w.add_key_length(size["head"])
    w.add_value_length(size["head"])
    w.add_layer_norm_rms_eps(1e-6)
    w.add_sliding_window(size["window"])
    w.add_rope_freq_base(1e6)
    w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    w.add_rope_scaling_factor(8.0)
    add_vocabulary(w, words)
    norm = lambda n: (1.0 + random(rng, n, scale=0.3)).astype(np.float32)
    width, inner, q, kv = size["width"], size["inner"], size["heads"] * size["head"], size["kv"] * size["head"]

    def matrix(name, *shape, scale=None):
        data, dtype = store(random(rng, *shape, scale=scale))
        w.add_tensor(name, data, raw_dtype=dtype)

    matrix("token_embd.weight", len(words[0]), width, scale=0.06)
    w.add_tensor("output_norm.weight", norm(width))
    for i in range(size["layers"]):
        b = f"blk.{i}."
        for name, n in [("attn_norm", width), ("attn_q_norm", size["head"]), ("attn_k_norm", size["head"])]:
            w.add_tensor(f"{b}{name}.weight", norm(n))
        for name in ["post_attention_norm", "ffn_norm", "post_ffw_norm"]:
            w.add_tensor(f"{b}{name}.weight", norm(width))
        matrix(f"{b}attn_q.weight", q, width)
        matrix(f"{b}attn_k.weight", kv, width)
        matrix(f"{b}attn_v.weight", kv, width)
        matrix(f"{b}attn_output.weight", width, q)
        matrix(f"{b}ffn_gate.weight", inner, width)
        matrix(f"{b}ffn_up.weight", inner, width)
        matrix(f"{b}ffn_down.weight", width, inner)
    close(w)


def write_projector(path):
    """Vision tower and projector, all in f32."""
    rng = np.random.default_rng(SEED + 1)
    w = gguf.GGUFWriter(path, "clip")
    v = VISION
    w.add_bool("clip.has_vision_encoder", True)
    w.add_string("clip.projector_type", "gemma3")
    w.add_bool("clip.use_gelu", True)
    for key, value in [
        ("image_size", v["image"]),
        ("patch_size", v["patch"]),
        ("embedding_length", v["width"]),
        ("feed_forward_length", v["inner"]),
        ("block_count", v["layers"]),
        ("projection_dim", TEXT["width"]),
        ("attention.head_count", v["heads"]),
    ]:
        w.add_uint32(f"clip.vision.{key}", value)
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    w.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    w.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    width, inner, n = v["width"], v["inner"], (v["image"] // v["patch"]) ** 2
    w.add_tensor("v.patch_embd.weight", random(rng, width, 3, v["patch"], v["patch"], scale=0.03))
    w.add_tensor("v.patch_embd.bias", random(rng, width, scale=0.1))
    w.add_tensor("v.position_embd.weight", random(rng, n, width, scale=0.3))

    def linear(name, n_out, n_in):
        w.add_tensor(f"{name}.weight", random(rng, n_out, n_in))
        w.add_tensor(f"{name}.bias", random(rng, n_out, scale=0.1))

    def norm(name):
        w.add_tensor(f"{name}.weight", (1.0 + random(rng, width, scale=0.2)).astype(np.float32))
        w.add_tensor(f"{name}.bias", random(rng, width, scale=0.1))

    for i in range(v["layers"]):
        b = f"v.blk.{i}."
        norm(f"{b}ln1")
        norm(f"{b}ln2")
        for name in ["attn_q", "attn_k", "attn_v", "attn_out"]:
            linear(b + name, width, width)
        linear(f"{b}ffn_up", inner, width)
        linear(f"{b}ffn_down", width, inner)
    norm("v.post_ln")
    w.add_tensor("mm.input_projection.weight", random(rng, width, TEXT["width"], scale=0.02))
    w.add_tensor("mm.soft_emb_norm.weight", (1.0 + random(rng, width, scale=0.2)).astype(np.float32))
    close(w)


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def plain(data):
    return data, None


def q8_0(data):
    return gguf.quants.quantize(data, gguf.GGMLQuantizationType.Q8_0), gguf.GGMLQuantizationType.Q8_0


class Llama:
    """llama-server on one model."""

    def __init__(self, folder, model, projector=None):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [str(folder / "llama-server"), "-m", str(model), "--port", str(port), "-c", "1024", "-np", "1", "--no-warmup"]
        command += ["-t", "2", "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--jinja", "--no-webui"]
        command += ["--mmproj", str(projector)] if projector else []
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=os.environ | {"LLAMA_ARG_OFFLINE": "1"})

    def __enter__(self):
        for _ in range(600):
            with contextlib.suppress(OSError):
                if json.load(urllib.request.urlopen(f"{self.url}/health"))["status"] == "ok":
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        self.log.seek(0)
        sys.exit("llama-server did not start:\n" + self.log.read().decode(errors="replace")[-3000:])

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"content-type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=60))

    def ids(self, text):
        return self.post("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]

    def step(self, prompt, n=1):
        """The five best of each of `n` steps after a prompt, greedily: [({id: log-probability}, chosen id)].

        The server gives none for a token that ends the answer or is a part of a character.
        """
        body = {"prompt": prompt, "n_predict": n, "temperature": 0, "n_probs": 5, "cache_prompt": False, "ignore_eos": False}
        steps = self.post("/completion", body).get("completion_probabilities", [])
        return [({t["id"]: t["logprob"] for t in step["top_logprobs"]}, step["id"]) for step in steps]


def lightbox(program, model, projector, messages, n):
    """The response of `lightbox run`."""
    body = {"messages": messages, "max_tokens": n, "logprobs": True, "top_logprobs": 5, "prompt_logprobs": 5}
    command = [str(program), "run", "--request", "-", "--model", str(model), "--json", "--no-record"]
    command += ["--projector", str(projector)] if projector else []
    done = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True)
    if done.returncode:
        sys.exit("lightbox: " + done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)


def user(text):
    return [{"role": "user", "content": text}]


def render(text):
    """The template's text of one user turn."""
    return f"<bos><start_of_turn>user\n{text.strip()}<end_of_turn>\n<start_of_turn>model\n"


def worst(pairs):
    """The largest difference over what both list: [(theirs, ours)] of {id: log-probability}."""
    return max(abs(theirs[i] - ours[i]) for theirs, ours in pairs for i in theirs.keys() & ours.keys())


class Report:
    def __init__(self):
        self.failed = False

    def line(self, what, holds, detail):
        self.failed |= not holds
        print(f"{'ok    ' if holds else 'DIFFER'} {what}: {detail}", flush=True)


def compare_ids(report, what, llama, program, model, texts):
    """Ids of user turns, rendered by each program's own template."""
    different = []
    for text in texts:
        ours = lightbox(program, model, None, user(text), 1)["lightbox"]["prompt_token_ids"]
        # llama.cpp takes the begin of text off what its template wrote.
        theirs = llama.ids("<bos>" + llama.post("/apply-template", {"messages": user(text)})["prompt"].removeprefix("<bos>"))
        if ours != theirs:
            different.append((text, theirs, ours))
    for text, why in APART.items():
        ours = lightbox(program, model, None, user(text), 1)["lightbox"]["prompt_token_ids"]
        theirs = llama.ids("<bos>" + llama.post("/apply-template", {"messages": user(text)})["prompt"].removeprefix("<bos>"))
        print(f"known  {what}: {text!r} {'parts' if ours != theirs else 'no longer parts'}: {why}")
    for text, theirs, ours in different[:5]:
        print(f"       {text!r}: llama.cpp {theirs}, lightbox {ours}")
    report.line(f"{what}: ids", not different, f"{len(texts) - len(different)} of {len(texts)} texts equal")


def compare_words(report, what, llama, program, model, messages, tolerance):
    answer = lightbox(program, model, None, messages, 24)
    ids = answer["lightbox"]["prompt_token_ids"]
    ours = [{i: p for i, p in entry["top"]} for entry in answer["lightbox"]["prompt_logprobs"][1:]]
    theirs = [llama.step(ids[:k]) for k in range(1, len(ids))]
    pairs = [(step[0][0], mine) for step, mine in zip(theirs, ours) if step]
    prompt, n_prompt = worst(pairs), len(pairs)
    ours = [{t["id"]: t["logprob"] for t in step["top_logprobs"]} for step in answer["choices"][0]["logprobs"]["content"]]
    chosen = answer["lightbox"]["completion_token_ids"]
    # Along the tokens that lightbox chose, so that one near-tie does not end the comparison.
    theirs = [llama.step(ids + chosen[:k]) for k in range(len(ours))]
    known = [(step[0], mine, id) for step, mine, id in zip(theirs, ours, chosen) if step]
    decoded = worst((top, mine) for (top, _), mine, _ in known)
    same = sum(best == id for (_, best), _, id in known)
    report.line(
        f"{what}: text",
        max(prompt, decoded) <= tolerance and n_prompt > len(ids) // 2 and len(known) > len(ours) // 2,
        f"{n_prompt} of {len(ids)} places of the prompt within {prompt:.1e}, {len(known)} of {len(ours)} steps within "
        f"{decoded:.1e} (tolerance {tolerance}), {same} of {len(known)} best tokens equal",
    )


def compare_image(report, what, llama, program, model, projector, tolerance):
    # A picture of the tower's own size: each program resizes in its own way.
    rng = np.random.default_rng(3)
    side = VISION["image"]
    y, x = np.mgrid[0:side, 0:side] / side
    pixels = np.stack([255 * x, 255 * y, 127 + 120 * np.sin(9 * x * y)], axis=-1) + rng.normal(0, 8, (side, side, 3))
    png = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(png, "PNG")
    data = base64.b64encode(png.getvalue()).decode()
    parts = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}, {"type": "text", "text": "Describe the findings."}]
    answer = lightbox(program, model, projector, [{"role": "user", "content": parts}], 12)
    ours = [{t["id"]: t["logprob"] for t in step["top_logprobs"]} for step in answer["choices"][0]["logprobs"]["content"]]
    chosen = answer["lightbox"]["completion_token_ids"]
    # llama.cpp writes the two markers around a picture but not the empty lines around these.
    text = render("\n\n<__media__>\n\nDescribe the findings.").replace("user\n", "user\n\n\n", 1)
    steps = llama.step({"prompt_string": text, "multimodal_data": [data]}, 12)
    same = 0
    while same < min(len(chosen), len(steps)) and steps[same][1] == chosen[same]:
        same += 1
    pairs = list(zip((top for top, _ in steps), ours))[: max(same, 1)]
    most = worst(pairs)
    report.line(f"{what}: picture", most <= tolerance, f"{len(pairs)} steps within {most:.1e} (tolerance {tolerance}), {same} of {len(ours)} best tokens equal")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--llama", type=Path, required=True, help="folder with llama-server and llama-quantize")
    parser.add_argument("--lightbox", type=Path, required=True, help="the program")
    parser.add_argument("--vocabulary", type=Path, help="a GGUF file whose vocabulary is compared too")
    parser.add_argument("--work", type=Path, help="folder for the files, else a temporary one")
    arguments = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        words = vocabulary_of_phantom()
        corpus = [line for line in (HERE / "corpus.txt").read_text(encoding="utf-8").splitlines() if line]
        projector = work / "mmproj-f32.gguf"
        write_projector(projector)
        models = {"f32": work / "f32.gguf", "q8_0": work / "q8_0.gguf", "q4_k": work / "q4_k.gguf"}
        write_text(models["f32"], words, plain)
        write_text(models["q8_0"], words, q8_0)
        quantize = [str(arguments.llama / "llama-quantize"), "--pure", str(models["f32"]), str(models["q4_k"]), "Q4_K_S", "2"]
        subprocess.run(quantize, check=True, capture_output=True)
        long = [{"role": "system", "content": "You are careful."}, *user(" ".join(corpus[:4])[:600])]
        for kind, model in models.items():
            with Llama(arguments.llama, model, projector) as llama:
                if kind == "f32":
                    compare_ids(report, "phantom's vocabulary", llama, arguments.lightbox, model, corpus[:20] + AWKWARD[1:])
                compare_words(report, kind, llama, arguments.lightbox, model, user("Is the heart enlarged?"), TOLERANCE[kind])
                compare_words(report, f"{kind}, past the window", llama, arguments.lightbox, model, long, TOLERANCE[kind])
                compare_image(report, kind, llama, arguments.lightbox, model, projector, TOLERANCE_IMAGE[kind])
        if arguments.vocabulary:
            model = work / "vocabulary.gguf"
            write_text(model, vocabulary_of_file(arguments.vocabulary), plain, TEXT | {"layers": 1, "width": 32, "inner": 32, "heads": 1, "kv": 1, "head": 32})
            with Llama(arguments.llama, model) as llama:
                compare_ids(report, arguments.vocabulary.name, llama, arguments.lightbox, model, corpus + AWKWARD[1:])
    sys.exit(report.failed)


if __name__ == "__main__":
    main()

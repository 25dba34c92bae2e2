"""What is measured: each unit runs lightbox and its peers once and says what it found, row by row."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import programs
from programs import Failed, LlamaServer, Places
from prompts import Prompts, film, request, server_prompt

SHORT, NEW, TOP = 32, 32, 20
FILM_NEW = 200
N_LAYERS = 34
TOLERANCE = 1.0
"""Largest difference of a log-probability between two programs on one file, 34 random layers deep. Both round activations to 8
bits (llama.cpp to bf16 for a bf16 file, where lightbox keeps float32), each in its own way, and random weights do not dampen it."""
TORCH_LAYERS = 8
"""PyTorch runs so many text layers, and its time is multiplied."""


@dataclass
class Wanted:
    """A row of the table: wanted ratios, and the machine's own limit."""

    name: str
    least: float
    aim: float
    limit: float | None


WANTED = {
    "decode-q4_k_m": Wanted("decode, Q4_K_M", 1.4, 1.65, 1.86),
    "decode-q8_0": Wanted("decode, Q8_0", 1.25, 1.45, 1.66),
    "decode-bf16": Wanted("decode, bf16", 1.15, 1.3, 1.41),
    "prefill-512-q4_k_m": Wanted("prefill 512, Q4_K_M", 1.4, 1.9, 4.2),
    "prefill-2048-q4_k_m": Wanted("prefill 2048, Q4_K_M", 1.4, 1.9, 4.2),
    "prefill-512-bf16": Wanted("prefill 512, bf16 weights", 1.2, 1.45, 1.7),
    "image-exact": Wanted("one image, 896 px, exact", 1.4, 1.6, 1.9),
    "image-int8": Wanted("one image, int8", 1.8, 2.1, None),
    "film-exact": Wanted("one film + 300 text tokens in, 200 out, cold, exact", 1.45, 1.7, None),
    "film-int8": Wanted("the same, int8", 1.6, 1.9, None),
    "second-whole": Wanted("second question on that film: whole", 2.8, 4.0, 5.0),
    "second-first": Wanted("second question on that film: to the first token", 5.0, 10.0, None),
}


FAILURES = (Failed, OSError, ValueError, LookupError)
"""What a program can do wrong: none of it stops the other ones."""


def told(failure: Exception) -> str:
    lines = str(failure).splitlines() or [""]
    return (f"{type(failure).__name__}: " if not isinstance(failure, Failed) else "") + lines[-1][:200]


@dataclass
class Context:
    places: Places
    prompts: Prompts
    cpu: str
    round: int
    keep: object
    """keep(row, program): whether a peer was close enough to the best one so far to be run again."""
    found: object
    """found(row, program, seconds, **more): a result."""
    small: bool

    def try_peer(self, row: str, program: str, run) -> None:
        """Runs a peer unless it fell behind."""
        if self.keep(row, program):
            self.attempt(row, program, run)

    def attempt(self, row: str, program: str, run) -> None:
        """A failure is written down and stops nothing."""
        try:
            run()
        except FAILURES as failure:
            self.found(row, program, None, note=told(failure))


def agreed(ours: dict, peer: dict) -> str:
    """How far two greedy answers go together; from the first token's alternatives where both have them."""
    a, b = ours["ids"], peer["ids"]
    same = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    note = f"{same} of {min(len(a), len(b))} tokens equal"
    shared = ours["top"].keys() & peer["top"].keys()
    if shared:
        off = max(abs(ours["top"][i] - peer["top"][i]) for i in shared)
        note += f"; {len(shared)} of the {len(ours['top'])} best first tokens shared, log-probabilities within {off:.2g}"
        if off > TOLERANCE or len(shared) < len(ours["top"]) // 2:
            raise Failed(f"the answers do not agree: {note}")
    return note


def memory(run: dict) -> dict:
    return {"own_gib": run["own_gib"], "load_s": run.get("load_s")}


def decode(c: Context, kind: str) -> None:
    """NEW tokens after SHORT; the first round compares the answers too."""
    row, p = f"decode-{kind}", c.places
    body = request(c.prompts.text(SHORT), NEW + 1, top=c.round == 1)
    ours = programs.lightbox(p, c.cpu, p.gguf(kind), body)
    c.found(row, "lightbox", ours["decode_s"] / NEW, **memory(ours))

    def llama() -> None:
        run = programs.llama_bench(p, c.cpu, p.gguf(kind), 0, NEW)
        note = ""
        if c.round == 1:
            with LlamaServer(p, c.cpu, p.gguf(kind)) as server:
                note = agreed(ours, server.ask(ours["prompt"], NEW + 1, n_probs=TOP))
        c.found(row, "llama.cpp", run["seconds"] / NEW, own_gib=run["own_gib"], note=note)

    def candle() -> None:
        run = programs.candle(p, c.cpu, p.gguf(kind), ours["prompt"], 9)
        c.found(row, "candle", run["decode_s"] / 8, own_gib=run["own_gib"], note="SiLU and unscaled rotation: other answers")

    def torch() -> None:
        run = programs.torch(p, c.cpu, "decode", "bfloat16", TORCH_LAYERS, SHORT)
        c.found(row, "PyTorch bf16", run["seconds"], scaled=run["scaled"])

    c.try_peer(row, "llama.cpp", llama)
    if kind == "q4_k_m":
        c.try_peer(row, "candle", candle)
    if kind == "bf16":
        c.try_peer(row, "PyTorch bf16", torch)


def prefill(c: Context, kind: str, n: int) -> None:
    row, p = f"prefill-{n}-{kind}", c.places
    n = min(n, 128) if c.small else n
    ours = programs.lightbox(p, c.cpu, p.gguf(kind), request(c.prompts.text(n), 1))
    c.found(row, "lightbox", ours["prefill_s"], **memory(ours))

    def llama() -> None:
        run = programs.llama_bench(p, c.cpu, p.gguf(kind), n, 0)
        c.found(row, "llama.cpp", run["seconds"], own_gib=run["own_gib"])

    def candle() -> None:
        run = programs.candle(p, c.cpu, p.gguf(kind), ours["prompt"], 1)
        c.found(row, "candle", run["prefill_s"], own_gib=run["own_gib"], note="SiLU and unscaled rotation: other answers")

    def torch(dtype: str):
        def run() -> None:
            found = programs.torch(p, c.cpu, "prefill", dtype, TORCH_LAYERS, n)
            c.found(row, f"PyTorch {dtype}", found["seconds"], scaled=found["scaled"])

        return run

    c.try_peer(row, "llama.cpp", llama)
    if kind == "q4_k_m" and n <= 512:
        c.try_peer(row, "candle", candle)
    if kind == "bf16":
        c.try_peer(row, "PyTorch float32", torch("float32"))
        # Without bf16 instructions this is many times slower: 3 tokens a second where float32 does 17.
        if c.cpu == "native":
            c.try_peer(row, "PyTorch bfloat16", torch("bfloat16"))


def films(c: Context) -> None:
    """A film and two questions: everything that has a picture in it, from as few runs as possible."""
    p, side, new = c.places, 224 if c.small else 896, 16 if c.small else FILM_NEW
    picture = film(p.temporary, side)
    first, second = c.prompts.questions()
    kind = "q4_k_m"
    more = ("--projector", p.projector())
    store = p.temporary / f"store-{c.cpu}-{c.round}"

    def whole(run: dict) -> float:
        return run["image_s"] + run["prefill_s"] + run["decode_s"]

    cold = programs.lightbox(p, c.cpu, p.gguf(kind), request(first, new, picture), store=store, more=more)
    c.found("image-exact", "lightbox", cold["image_s"], **memory(cold))
    c.found("film-exact", "lightbox", whole(cold), **memory(cold))
    again = programs.lightbox(p, c.cpu, p.gguf(kind), request(second, new, picture), store=store, more=more)
    # The first token is there when the prefill ends.
    c.found("second-first", "lightbox", again["image_s"] + again["prefill_s"], note=counted(again))
    c.found("second-whole", "lightbox", whole(again), note=counted(again))

    def in_whole_numbers() -> None:
        # After the first round only the picture is measured anew; the rest is that of the exact run.
        body = request(first, new if c.round == 1 else 1, picture)
        int8 = programs.lightbox(p, c.cpu, p.gguf(kind), body, more=(*more, "--vision", "int8"))
        c.found("image-int8", "lightbox", int8["image_s"], **memory(int8))
        rest, note = (int8, "") if c.round == 1 else (cold, "prefill and decode of the exact run")
        c.found("film-int8", "lightbox", int8["image_s"] + rest["prefill_s"] + rest["decode_s"], note=note)

    def llama() -> None:
        with LlamaServer(p, c.cpu, p.gguf(kind), p.projector(), ("--swa-full",)) as server:
            a = server.ask(server_prompt(first, picture), new)
            image = server.image_s()
            b = server.ask(server_prompt(second, picture), new)
        for row in ("image-exact", "image-int8"):
            c.found(row, "llama.cpp", image)
        for row in ("film-exact", "film-int8"):
            c.found(row, "llama.cpp", a["whole_s"], own_gib=server.own_gib(), note=agreed(cold, a))
        reused = f"{b['timings'].get('cache_n')} tokens from its cache"
        c.found("second-first", "llama.cpp --swa-full", b["first_s"], note=reused)
        c.found("second-whole", "llama.cpp --swa-full", b["whole_s"], note=f"{reused}; {agreed(again, b)}")

    def llama_as_it_is() -> None:
        with LlamaServer(p, c.cpu, p.gguf(kind), p.projector()) as server:
            server.ask(server_prompt(first, picture), 1)
            b = server.ask(server_prompt(second, picture), new)
        reused = f"{b['timings'].get('cache_n')} tokens from its cache"
        c.found("second-first", "llama.cpp", b["first_s"], note=reused)
        c.found("second-whole", "llama.cpp", b["whole_s"], note=reused)

    def torch(dtype: str):
        def run() -> None:
            found = programs.torch(p, c.cpu, "image", dtype, 1, 0)
            for row in ("image-exact", "image-int8"):
                c.found(row, f"PyTorch {dtype}", found["seconds"])

        return run

    c.attempt("image-int8", "lightbox", in_whole_numbers)
    c.try_peer("film-exact", "llama.cpp", llama)
    if c.round == 1 and c.cpu == "avx2":
        c.try_peer("second-whole", "llama.cpp", llama_as_it_is)
    c.try_peer("image-exact", "PyTorch float32", torch("float32"))
    if c.cpu == "native":
        c.try_peer("image-exact", "PyTorch bfloat16", torch("bfloat16"))


def counted(run: dict) -> str:
    """What the timings say about caches and guesses."""
    told = []
    for name, counts in run["timings"].items():
        if name == "prefix_tokens":
            counts = {"tokens": counts}
        counts = counts if isinstance(counts, dict) else {}
        told += [f"{name} {what} {n}" for what, n in counts.items() if n]
    return ", ".join(told)


APART = {
    "start": ("ready to prefill, Q4_K_M, nothing of the file in memory", "{:.2f} s"),
    "speculation": ("decode, Q4_K_M, text drawn at temperature 1", "{:.4f} s a token"),
    "memory": ("85 images and 22,000 tokens at Q4_K_M, beyond the weights", "{:.2f} GB"),
    "27b": ("27B at Q4_K_M, peak of its own memory", "{:.2f} GiB"),
}
"""Rows without a peer: what they are, and how their number is written."""


def start(c: Context) -> None:
    """From the start of the process to where a prompt could go in, beside reading the file."""
    path = c.places.gguf("q4_k_m")
    # Once before, because a virtual machine's disk may keep in its host's memory what was read last: then it does so for both.
    for _ in range(2):
        forget(path)
        begun = time.perf_counter()
        with path.open("rb", buffering=0) as file, open(os.devnull, "wb") as nowhere:
            subprocess.run(["cat"], stdin=file, stdout=nowhere, check=True)
        reading = time.perf_counter() - begun
    c.found("start", "cat FILE", reading)
    forget(path)
    ours = programs.lightbox(c.places, c.cpu, path, request(c.prompts.text(SHORT), 1))
    ready = ours["wall_s"] - ours["prefill_s"] - ours["decode_s"]
    c.found("start", "lightbox", ready, note=f"{ready / reading:.2f} times; at most 1.5 wanted", load_s=ours["load_s"])


def forget(path: Path) -> None:
    """Drops a file from the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def speculation(c: Context) -> None:
    """Random weights repeat themselves when they are greedy; what is drawn at temperature 1 does not."""
    body = request(c.prompts.text(SHORT), 65) | {"temperature": 1.0, "seed": 1}
    path = c.places.gguf("q4_k_m")
    off = programs.lightbox(c.places, c.cpu, path, body)
    on = programs.lightbox(c.places, c.cpu, path, body, guessing=True)
    if on["ids"] != off["ids"]:
        raise Failed("lightbox: other tokens with speculation than without")
    c.found("speculation", "without", off["decode_s"] / 64)
    c.found("speculation", "with", on["decode_s"] / 64, note=counted(on))


def memory_row(c: Context) -> None:
    """What a long prompt takes beyond the weights, on 6 and 12 of the 34 layers; the line through both gives all of them."""
    beyond, n_tokens = {}, 0
    pictures = []
    for seed in range(3 if c.small else 85):
        side = 16 + seed
        pictures.append(film(c.places.temporary, side))
    parts = []
    for i, picture in enumerate(pictures):
        parts += [{"type": "image_url", "image_url": {"url": str(picture)}}, {"type": "text", "text": f"SLICE {i + 1}"}]
    body = {"messages": [{"role": "user", "content": parts}], "max_tokens": 2, "temperature": 0}
    for layers in (6, 12):
        model = c.places.models / f"4b-{layers}-q4_k_m.gguf"
        projector = c.places.models / "projectors" / f"mmproj-4b-{layers}-f16.gguf"
        if not model.exists():
            raise Failed(f"no {model.name}: make_models.py --shape 4b-{layers}")
        ours = programs.lightbox(c.places, c.cpu, model, body, more=("--projector", projector))
        weights = (model.stat().st_size + projector.stat().st_size) / 1e9
        beyond[layers], n_tokens = ours["own_gib"] * 2**30 / 1e9 - weights, len(ours["prompt"])
    whole = beyond[6] + (beyond[12] - beyond[6]) * (N_LAYERS - 6) / 6
    note = f"{n_tokens} tokens; {beyond[6]:.2f} GB with 6 layers, {beyond[12]:.2f} GB with 12; at most 2.5 wanted"
    c.found("memory", "lightbox, scaled to 34 layers", whole, note=note)


def largest(c: Context) -> None:
    path = c.places.models / "27b-q4_k_m.gguf"
    if not path.exists():
        raise Failed("no 27b-q4_k_m.gguf: make_models.py --shape 27b")
    ours = programs.lightbox(c.places, c.cpu, path, request(c.prompts.text(SHORT), 5))
    note = f"load {ours['load_s']:.0f} s, {SHORT / ours['prefill_s']:.1f} tokens a second in, {4 / ours['decode_s']:.2f} out"
    c.found("27b", "lightbox", ours["own_gib"], note=f"{note}; at most 20 wanted")


# Name: what runs it, seconds it takes about, rows that come from it.
UNITS = {
    "decode-q4_k_m": (lambda c: decode(c, "q4_k_m"), 40),
    "decode-q8_0": (lambda c: decode(c, "q8_0"), 45),
    "decode-bf16": (lambda c: decode(c, "bf16"), 70),
    "prefill-512-q4_k_m": (lambda c: prefill(c, "q4_k_m", 512), 70),
    "film": (films, 330),
    "prefill-512-bf16": (lambda c: prefill(c, "bf16", 512), 80),
    "prefill-2048-q4_k_m": (lambda c: prefill(c, "q4_k_m", 2048), 230),
    "start": (start, 30),
    "speculation": (speculation, 40),
    "memory": (memory_row, 700),
    "27b": (largest, 180),
}


def unit_of(row: str) -> str:
    return row if row in UNITS else "film"


def chosen(rows: list[str]) -> list[str]:
    """Units by the names of rows or units; all but those that need files of their own where none is named."""
    return [u for u in UNITS if (u in {unit_of(r) for r in rows} if rows else u not in ("memory", "27b"))]

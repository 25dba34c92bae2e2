"""lightbox and the peers, each as a function that runs it once and returns what it measured about itself."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from prompts import MARKER, ROOT, first_read

HERE = Path(__file__).parent
AVX2_ONLY = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
LIMIT_S = 900


class Failed(Exception):
    """A program did not give an answer; the text says what it said last."""


@dataclass
class Places:
    """Where everything is."""

    lightbox: Path
    peers: Path
    python: Path
    models: Path
    shape: str
    folder: Path
    threads: int
    temporary: Path
    help: str = field(init=False)
    """Options of `lightbox run`: a version that has no cache or no speculation is measured without."""

    def __post_init__(self):
        self.help = subprocess.run([self.lightbox, "run", "--help"], capture_output=True, text=True, check=True).stdout

    def gguf(self, kind: str) -> Path:
        return self.models / f"{self.shape}-{kind}.gguf"

    def projector(self, kind: str = "f16") -> Path:
        return self.models / "projectors" / f"mmproj-{self.shape}-{kind}.gguf"

    def llama(self, cpu: str, program: str) -> Path:
        return self.peers / cpu / "bin" / program


def environment(cpu: str, **more) -> dict:
    return os.environ | (AVX2_ONLY if cpu == "avx2" else {}) | {"HF_HUB_OFFLINE": "1"} | more


def run(command: list, env: dict) -> tuple[str, dict]:
    """Standard output, and peak memory in GiB, wall time in seconds."""
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    peak = {}
    watcher = threading.Thread(target=first_read.watch, args=(process, peak))
    watcher.start()
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Failed(f"{Path(command[0]).name}: no answer within {LIMIT_S} s") from None
    finally:
        watcher.join()
    if process.returncode != 0:
        raise Failed(f"{Path(command[0]).name}: exit {process.returncode}: {err.strip()[-400:]}")
    wall = time.perf_counter() - start
    return out, {"own_gib": peak.get("own", 0) / 2**20, "all_gib": peak.get("all", 0) / 2**20, "wall_s": wall}


def lightbox(places: Places, cpu: str, model: Path, body: dict, *, store: Path | None = None, guessing=False, more=()) -> dict:
    """One `lightbox run`. `store` keeps pictures and prefixes from one command to the next; without it nothing is kept."""
    request = places.temporary / "request.json"
    request.write_text(json.dumps(body))
    command = [places.lightbox, "run", "--request", request, "--model", model, "--threads", str(places.threads), "--json"]
    command += ["--cpu", "avx2"] if cpu == "avx2" else []
    wished = ["--keep-prefix"] if store else ["--no-record"]
    wished += [] if guessing else ["--no-speculation"]
    command += [flag for flag in wished if flag in places.help]
    command += list(more)
    data = store or places.temporary / "data"
    out, measured = run(command, environment(cpu, LIGHTBOX_DATA=str(data)))
    answer = json.loads(out)
    extension = answer["lightbox"]
    timings = extension["timings"]
    logprobs = answer["choices"][0].get("logprobs")
    return measured | {
        "timings": timings,
        "load_s": timings["load"] / 1000,
        "image_s": timings["image"] / 1000,
        "prefill_s": timings["prefill"] / 1000,
        "decode_s": timings["decode"] / 1000,
        "prompt": extension["prompt_token_ids"],
        "ids": extension["completion_token_ids"],
        "top": first_token(logprobs["content"]) if logprobs else {},
    }


def first_token(tokens: list) -> dict:
    """The best alternatives of the first token, by their text: both programs write them alike."""
    return {t["token"]: t["logprob"] for t in tokens[0]["top_logprobs"]} if tokens else {}


def llama_bench(places: Places, cpu: str, model: Path, prompt: int, new: int) -> dict:
    """Seconds of a prompt, or of all new tokens. A short prompt goes before a long one, so that pages and threads are warm."""
    what = ["-p", f"16,{prompt}", "-n", "0", "--no-warmup"] if prompt else ["-p", "0", "-n", str(new)]
    command = [places.llama(cpu, "llama-bench"), "-m", model, "-t", str(places.threads), "-r", "1", "-o", "json", *what]
    out, measured = run(command, environment(cpu))
    return measured | {"seconds": json.loads(out)[-1]["avg_ns"] / 1e9}


def candle(places: Places, cpu: str, model: Path, prompt: list, new: int) -> dict:
    ids = places.temporary / "prompt.json"
    ids.write_text(json.dumps(prompt))
    env = environment(cpu, RAYON_NUM_THREADS=str(places.threads))
    out, measured = run([places.peers / "candle" / cpu, model, ids, str(new)], env)
    answer = json.loads(out)
    return measured | {"prefill_s": answer["timings"]["prefill"] / 1000, "decode_s": answer["timings"]["decode"] / 1000}


def torch(places: Places, cpu: str, task: str, kind: str, layers: int, tokens: int) -> dict:
    command = [places.python, HERE / "torch_peer.py", places.folder, task, kind, str(places.threads), str(layers), str(tokens)]
    out, measured = run(command, environment(cpu))
    answer = json.loads(out.strip().splitlines()[-1])
    if not answer["finite"]:
        raise Failed("PyTorch: values that are not finite")
    return measured | answer


class LlamaServer:
    """llama-server with one slot and the prompt cache on, up to its end."""

    def __init__(self, places: Places, cpu: str, model: Path, projector: Path | None = None, more: tuple = ()):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = places.temporary / "llama-server.log"
        threads = str(places.threads)
        command = [places.llama(cpu, "llama-server"), "-m", model, "--port", self.port, "-t", threads, "-tb", threads]
        command += ["-c", "4096", "-np", "1", "--no-warmup", "-lv", "4", *more]
        command += ["--mmproj", projector] if projector else []
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdout=log, stderr=log, env=environment(cpu, LLAMA_MEDIA_MARKER=MARKER)
            )
        self.peak: dict = {}
        self.watcher = threading.Thread(target=first_read.watch, args=(self.process, self.peak))
        self.watcher.start()

    def __enter__(self):
        for _ in range(600):
            if self.process.poll() is not None:
                raise Failed(f"llama-server: {self.log.read_text()[-400:]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as reply:
                    if reply.status == 200:
                        break
            except OSError:
                time.sleep(0.2)
        # Pages and threads are warm before the clock starts; one token more would be part of a prefix.
        self.ask("Hello.", 2)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.watcher.join()

    def own_gib(self) -> float:
        return self.peak.get("own", 0) / 2**20

    def ask(self, prompt: object, new: int, n_probs: int = 0) -> dict:
        """Seconds to the first token and in all, as a client sees them; token ids; alternatives of the first token where asked."""
        body = {"prompt": prompt, "n_predict": new, "temperature": 0, "samplers": ["top_k"], "top_k": 1}
        body |= {"cache_prompt": True, "return_tokens": True, "stream": True, "n_probs": n_probs, "ignore_eos": True}
        url = f"http://127.0.0.1:{self.port}/completion"
        asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        start, first, ids, top, last = time.perf_counter(), None, [], {}, {}
        with urllib.request.urlopen(asked, timeout=LIMIT_S) as reply:
            for line in reply:
                if not line.startswith(b"data: "):
                    continue
                last = json.loads(line[6:])
                if last.get("tokens"):
                    first = first or time.perf_counter() - start
                    ids += last["tokens"]
                    top = top or first_token(last.get("completion_probabilities", []))
        whole = time.perf_counter() - start
        return {"first_s": first, "whole_s": whole, "ids": ids, "top": top, "timings": last.get("timings", {})}

    def image_s(self) -> float:
        """How long the last picture took in the tower, from the times of the log's lines."""
        text = self.log.read_text()
        at = re.compile(r"^(\d+)\.(\d+)\.(\d+)\.(\d+) .*(encoding mtmd batch|decoding image batch 1/)", re.M)
        begun, took = None, None
        for minutes, seconds, ms, us, what in at.findall(text):
            now = int(minutes) * 60 + int(seconds) + int(ms) / 1e3 + int(us) / 1e6
            if what.startswith("encoding"):
                begun = now
            elif begun is not None:
                took = now - begun
        if took is None:
            raise Failed("llama-server: no picture in its log")
        return took


def version(places: Places) -> tuple[str, str]:
    """Digest of the program's file, and version, commit and digest in words."""
    out = subprocess.run([places.lightbox, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    with places.lightbox.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return digest, f"{out} ({commit}, file {digest})"

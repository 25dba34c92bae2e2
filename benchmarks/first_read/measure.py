"""lightbox and transformers on the same machine and request, in turns: one picture, some text, 64 new tokens.

    cargo build --release
    python3 benchmarks/first_read/measure.py --model FOLDER --python VENV/bin/python

FOLDER comes from reference/make_random_4b.py, VENV holds reference/requirements.txt. Each run is a process of its own.
Writes results/DATE-MACHINE.{md,json} beside this file. Needs nothing but the standard library and Linux.

Memory is read from /proc every 20 ms: `own` is the peak of RssAnon + RssShmem, what the process allocated; `all` is VmHWM, which
also counts pages of mapped files that the system may drop. The answers are compared, or the table is not written.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PARTS = ("load", "image", "prefill", "decode")
TEXT = (
    "Describe the findings in this picture in one paragraph, then give an impression. "
    "Say what cannot be seen, and compare the left side with the right side."
)
TOLERANCE = 0.02
"""Largest difference of a generated token's log-probability between lightbox and float32 PyTorch, 34 layers deep."""


def png(width: int, height: int) -> bytes:
    """An RGB picture by the formula of reference/pictures.py, seed 1."""

    def sample(x: int, y: int, c: int) -> int:
        h = (x * x * 3 + y * y * 5 + x * y * (7 * c + 1) + 31 * x + 17 * y + 59 * c + 101) & 0xFFFFFFFF
        return ((h >> 4) ^ h) & 255

    rows = b"".join(
        b"\0" + bytes(sample(x, y, c) for x in range(width) for c in range(3)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def watch(process: subprocess.Popen, peak: dict) -> None:
    """Keeps the largest values of /proc/PID/status, in KiB, until the process ends."""
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            return
        found = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.endswith(" kB")}
        own = found.get("RssAnon", 0) + found.get("RssShmem", 0)
        peak["own"] = max(peak.get("own", 0), own)
        peak["all"] = max(peak.get("all", 0), found.get("VmHWM", 0))
        time.sleep(0.02)


def run(command: list, environment: dict) -> dict:
    """The JSON that a command prints, its peak memory in GiB and its wall time."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    peak = {}
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    out, err = process.communicate()
    watcher.join()
    if process.returncode != 0:
        return {"failed": f"exit {process.returncode}: {err.strip()[-600:]}"}
    answer = json.loads(out.strip().splitlines()[-1] if command[0].endswith("python") else out)
    answer["memory_gib"] = {k: v / 2**20 for k, v in peak.items()}
    answer["wall_s"] = time.perf_counter() - start
    return answer


def lightbox_answer(answer: dict) -> dict:
    """The fields that the peer prints, from a chat.completion object."""
    if "failed" in answer:
        return answer
    extension, choice = answer["lightbox"], answer["choices"][0]
    return {
        "timings": {p: extension["timings"][p] for p in PARTS},
        "prompt_token_ids": extension["prompt_token_ids"],
        "completion_token_ids": extension["completion_token_ids"],
        "logprobs": [t["logprob"] for t in choice["logprobs"]["content"]],
        "memory_gib": answer["memory_gib"],
        "wall_s": answer["wall_s"],
    }


def compared(ours: dict, peer: dict) -> dict:
    """How far two answers agree."""
    a, b = ours["completion_token_ids"], peer["completion_token_ids"]
    same = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    differences = [abs(x - y) for x, y in zip(ours["logprobs"][:same], peer["logprobs"][:same])]
    return {
        "same_prompt": ours["prompt_token_ids"] == peer["prompt_token_ids"],
        "same_tokens": same,
        "of": len(a),
        "largest_logprob_difference": max(differences, default=None),
    }


def machine(threads: int) -> dict:
    info = Path("/proc/cpuinfo").read_text().splitlines()
    field = lambda key: next((line.split(":", 1)[1].strip() for line in info if line.startswith(key)), "unknown")
    wanted = ("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "amx_bf16")
    memory = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    return {
        "cpu": field("model name"),
        "features": [f for f in wanted if f in field("flags").split()],
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gib": round(memory / 2**20, 1),
        "system": platform.platform(),
    }


def median(runs: list, value) -> float:
    return statistics.median(value(r) for r in runs)


def table(result: dict) -> str:
    m = result["machine"]
    lines = [
        f"# First read, {result['date']}",
        "",
        f"{m['cpu']} ({', '.join(m['features'])}), {m['cores']} cores, {m['threads']} threads, {m['memory_gib']} GiB, {m['system']}.",
        f"{result['prompt_tokens']} prompt tokens ({result['picture']} picture), {result['new_tokens']} new tokens, "
        f"{result['repeats']} interleaved runs each, medians. Model: {result['model']}.",
        "",
        "| | load s | image ms | prefill ms | decode ms/token | own memory GiB | all GiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, entry in result["programs"].items():
        runs = entry["runs"]
        if not runs:
            lines.append(f"| {name} | failed: {entry['failed'].splitlines()[-1][:120]} | | | | | |")
            continue
        t = lambda part: median(runs, lambda r: r["timings"][part])
        steps = max(len(runs[0]["completion_token_ids"]) - 1, 1)
        g = lambda k: median(runs, lambda r: r["memory_gib"].get(k, 0))
        lines.append(
            f"| {name} | {t('load') / 1000:.1f} | {t('image'):.0f} | {t('prefill'):.0f} | {t('decode') / steps:.1f} | {g('own'):.2f} | {g('all'):.2f} |"
        )
    lines += ["", "Versions: " + "; ".join(e["version"] for e in result["programs"].values() if e.get("version")) + ".", ""]
    for name, c in result["compared"].items():
        d = c["largest_logprob_difference"]
        lines.append(
            f"Against {name}: prompt ids {'equal' if c['same_prompt'] else 'DIFFER'}, the first {c['same_tokens']} of {c['of']} "
            f"tokens equal, log-probabilities of those at most {d:.2g} apart." if d is not None else f"Against {name}: no token equal."
        )
    lines += ["", "Weights are random; the text means nothing. A figure to start from, not a target."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="folder in Hugging Face layout")
    parser.add_argument("--python", default=sys.executable, help="a Python with reference/requirements.txt")
    parser.add_argument("--lightbox", default=str(ROOT / "target" / "release" / "lightbox"))
    parser.add_argument("--peers", default="bfloat16,float32", help="types of the peer, comma-separated; empty: none")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--side", type=int, default=896, help="side of the picture in pixels")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", default=str(HERE / "results"))
    a = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        picture, request = Path(temporary) / "picture.png", Path(temporary) / "request.json"
        picture.write_bytes(png(a.side, a.side))
        content = [{"type": "image_url", "image_url": {"url": str(picture)}}, {"type": "text", "text": TEXT}]
        body = {"messages": [{"role": "user", "content": content}], "max_tokens": a.new_tokens}
        request.write_text(json.dumps(body | {"temperature": 0, "logprobs": True, "top_logprobs": 0}))
        environment = dict(os.environ, LIGHTBOX_DATA=str(Path(temporary) / "data"), HF_HUB_OFFLINE="1")
        commands = {
            "lightbox": [a.lightbox, "run", "--request", str(request), "--model", a.model, "--threads", str(a.threads), "--json"]
        }
        for kind in filter(None, a.peers.split(",")):
            commands[f"transformers {kind}"] = [a.python, str(HERE / "peer.py"), a.model, str(request), kind, str(a.threads)]
        programs = {name: {"runs": []} for name in commands}
        for repeat in range(a.repeats):
            for name, command in commands.items():
                answer = run(command, environment)
                answer = lightbox_answer(answer) if name == "lightbox" else answer
                if "failed" in answer:
                    programs[name]["failed"] = answer["failed"]
                    print(f"{repeat + 1}/{a.repeats} {name}: {answer['failed']}", file=sys.stderr)
                    continue
                programs[name]["runs"].append(answer)
                times = ", ".join(f"{p} {answer['timings'][p]:.0f} ms" for p in PARTS)
                print(f"{repeat + 1}/{a.repeats} {name}: {times}, {answer['memory_gib']['own']:.2f} GiB", file=sys.stderr)

    version = subprocess.run([a.lightbox, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    programs["lightbox"]["version"] = f"{version} ({commit}), bf16 weights, float32 activations"
    for entry in programs.values():
        entry["runs"] and entry.setdefault("version", entry["runs"][0].get("version"))
    ours = programs["lightbox"]["runs"]
    if not ours:
        sys.exit("lightbox failed; nothing to compare")
    if any(r["completion_token_ids"] != ours[0]["completion_token_ids"] or r["logprobs"] != ours[0]["logprobs"] for r in ours):
        sys.exit("lightbox gave different answers to the same request")
    comparisons = {n: compared(ours[0], e["runs"][0]) for n, e in programs.items() if n != "lightbox" and e["runs"]}
    for name, c in comparisons.items():
        off = c["largest_logprob_difference"]
        if not c["same_prompt"] or ("float32" in name and (off is None or off > TOLERANCE)):
            sys.exit(f"the answers of lightbox and {name} do not agree: {c}")
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(a.threads),
        "model": Path(a.model).name,
        "picture": f"one {a.side} px",
        "prompt_tokens": len(ours[0]["prompt_token_ids"]),
        "new_tokens": len(ours[0]["completion_token_ids"]),
        "repeats": a.repeats,
        "programs": programs,
        "compared": comparisons,
    }
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    slug = "-".join("".join(c if c.isalnum() else " " for c in result["machine"]["cpu"].lower()).split())
    stem = out / f"{result['date']}-{slug}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    stem.with_suffix(".md").write_text(table(result))
    print(table(result))


if __name__ == "__main__":
    main()

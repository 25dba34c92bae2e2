"""lightbox and pydicom on the same films, in turns, each warm in one process: headers of 1,000 files, and pixels by coding.

    cargo build --release -p lightbox-intake --example dicom_speed
    VENV/bin/python benchmarks/dicom/run.py --data FOLDER [--rounds 5] [--only CODING]

VENV holds reference/requirements.txt; FOLDER holds real films in any layout (the wg04 samples, CT and MR series), and
large films are made on top (made.py). Every file is read from the page cache, its data set parsed, all of its frames
decoded to stored values: what `pydicom.dcmread(path)` and `pixel_array(raw=True)` do, and `dicom_speed` with the public
functions of the room `intake`. A round is all files of a coding by pydicom, then by lightbox; a file's time is the least of
all rounds. Both answers are compared value by value first (one level apart at most where the codec is lossy), or there is no
row. Writes results/DATE-MACHINE.{md,json} beside this file.

With --kept both sides run with an allocator that keeps what was freed (KEPT), as in a process that has long been running;
without it, large films also measure what the system takes for handing out pages anew.
"""

import argparse
import collections
import datetime
import importlib.metadata
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import pixel_array

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(ROOT / "reference"))
import dicom_truth  # noqa: E402
import made  # noqa: E402

CODINGS = {
    "uncompressed": ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"),
    "rle": ("1.2.840.10008.1.2.5",),
    "jpeg-baseline": ("1.2.840.10008.1.2.4.50",),
    "jpeg-lossless": ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"),
    "jpeg-2000": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
    "jpeg-ls": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "htj2k": ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"),
}
PEERS = ("pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "pyjpegls", "numpy")
KEPT = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2147483648"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
"""Refused by lightbox, so that there is nothing to compare."""
LEAST_PIXELS = 64 * 64
MOST_OF_A_SHAPE = 8
"""Files of one coding and shape that are taken, so that a long series does not stand for everything."""


def headers(paths: list) -> list:
    """What an index of films needs, from each file, without its pixels."""
    found = []
    for path in paths:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        found.append([ds.get(k) for k in ("SOPClassUID", "SeriesInstanceUID", "Modality", "Rows", "Columns", "BitsStored")])
    return found


def collect(folder: Path, large: dict) -> tuple[dict, list]:
    """Files by coding, and every file with pixels."""
    by_coding, every, seen = collections.defaultdict(list), [], collections.Counter()
    found = [Path(at, name) for at, _, names in os.walk(folder, followlinks=True) for name in names]
    for path in sorted(found):
        try:
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            syntax = str(ds.file_meta.TransferSyntaxUID)
            shape = (syntax, ds.Rows, ds.Columns, ds.BitsAllocated, ds.get("NumberOfFrames"))
        except Exception:
            continue
        if syntax != BIG_ENDIAN:
            every.append(path)
        coding = next((name for name, syntaxes in CODINGS.items() if syntax in syntaxes), None)
        seen[shape] += 1
        if coding and ds.Rows * ds.Columns >= LEAST_PIXELS and ds.BitsAllocated > 1 and seen[shape] <= MOST_OF_A_SHAPE:
            by_coding[coding].append(path)
    for coding, paths in large.items():
        by_coding[coding] += paths
    return by_coding, every


def peer(paths: list) -> list[float]:
    """Milliseconds a file."""
    took = []
    for path in paths:
        start = time.perf_counter()
        pixel_array(pydicom.dcmread(path), raw=True)
        took.append((time.perf_counter() - start) * 1e3)
    return took


def ours(program: Path, task: str, paths: list, *more: str) -> list:
    """What `dicom_speed` prints."""
    given = "\n".join(str(p) for p in paths)
    done = subprocess.run([program, task, *more], input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"dicom_speed {task}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


def agreeing(program: Path, paths: list, folder: Path) -> tuple[list, list]:
    """The files whose values agree, and why the others do not."""
    agree, apart = [], []
    for path in paths:
        film = dicom_truth.read(path)
        if film is None or film.stored is None or film.mended:
            apart.append(f"{path.name}: pydicom does not decode it as it is")
            continue
        out = folder / "values"
        try:
            ours(program, "values", [path], str(out))
        except RuntimeError as problem:
            apart.append(f"{path.name}: {problem}")
            continue
        values = np.frombuffer(out.read_bytes(), film.stored.dtype)
        truth = film.stored.ravel()
        if values.size != truth.size:
            apart.append(f"{path.name}: {values.size} samples instead of {truth.size}")
            continue
        off = np.abs(values.astype(np.float64) - truth.astype(np.float64)).max()
        if off > (1 if film.lossy else 0) and not np.array_equal(values, dicom_truth.by_pillow(film).ravel()):
            apart.append(f"{path.name}: values up to {off:g} apart")
            continue
        agree.append((path, int(truth.size)))
    return agree, apart


def measured(name: str, program: Path, files: list, rounds: int) -> dict:
    paths = [p for p, _ in files]
    least = {"pydicom": [float("inf")] * len(paths), "lightbox": [float("inf")] * len(paths)}
    for _ in range(rounds):
        for who, took in (("pydicom", peer(paths)), ("lightbox", ours(program, "pixels", paths))):
            least[who] = [min(a, b) for a, b in zip(least[who], took)]
    ratios = [a / b for a, b in zip(least["pydicom"], least["lightbox"])]
    return {
        "coding": name,
        "files": len(paths),
        "samples": sum(n for _, n in files),
        "pydicom_ms": sum(least["pydicom"]),
        "lightbox_ms": sum(least["lightbox"]),
        "median": float(np.median(ratios)),
        "least": min(ratios),
        "each": [
            {"file": p.name, "samples": n, "pydicom_ms": a, "lightbox_ms": b}
            for (p, n), a, b in zip(files, least["pydicom"], least["lightbox"])
        ],
    }


def measured_headers(program: Path, every: list, folder: Path, rounds: int) -> dict:
    copies = []
    for i in range(1000):
        copy = folder / f"{i:04}"
        shutil.copyfile(every[i % len(every)], copy)
        copies.append(copy)
    expected = [["" if v is None else str(v) for v in found] for found in headers(copies)]
    found = ours(program, "headers", copies, "values")
    if found != expected:
        first = next(i for i, (a, b) in enumerate(zip(found, expected)) if a != b)
        raise RuntimeError(f"headers differ: {every[first % len(every)]}: {found[first]} instead of {expected[first]}")
    least = {"pydicom": float("inf"), "lightbox": float("inf")}
    for _ in range(rounds):
        start = time.perf_counter()
        headers(copies)
        least["pydicom"] = min(least["pydicom"], (time.perf_counter() - start) * 1e3)
        least["lightbox"] = min(least["lightbox"], sum(ours(program, "headers", copies)))
    for copy in copies:
        copy.unlink()
    return {"pydicom_ms": least["pydicom"], "lightbox_ms": least["lightbox"]}


def table(result: dict) -> str:
    m, head = result["machine"], result["headers"]
    lines = [
        f"# Films, {result['date']}",
        "",
        f"{m['cpu']}, {m['cores']} cores, {m['system']}. {result['rounds']} interleaved rounds, the least time of each file"
        + (", memory that was freed is kept by both." if result["kept"] else "."),
        f"Versions: {'; '.join(f'{k} {v}' for k, v in result['versions'].items())}.",
        "",
        "| what | files | samples | pydicom ms | lightbox ms | ratio | median file | least file |",
        "|---|---|---|---|---|---|---|---|",
        f"| headers | 1000 | | {head['pydicom_ms']:.0f} | {head['lightbox_ms']:.0f} | "
        f"{head['pydicom_ms'] / head['lightbox_ms']:.1f} | | |",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['coding']} | {row['files']} | {row['samples'] / 1e6:.1f} M | {row['pydicom_ms']:.0f} | "
            f"{row['lightbox_ms']:.0f} | {row['pydicom_ms'] / row['lightbox_ms']:.1f} | {row['median']:.1f} | {row['least']:.1f} |"
        )
    lines += ["", "The large films one by one:", "", "| film | pydicom ms | lightbox ms | ratio |", "|---|---|---|---|"]
    for row in result["rows"]:
        for each in row["each"]:
            if each["file"].startswith("made-"):
                ratio = each["pydicom_ms"] / each["lightbox_ms"]
                lines.append(f"| {each['file']} | {each['pydicom_ms']:.1f} | {each['lightbox_ms']:.1f} | {ratio:.1f} |")
    if result["left_out"]:
        lines += ["", "Not timed, because the answers do not agree or one side has none:", ""]
        lines += [f"- {reason}" for reason in result["left_out"]]
    return "\n".join(lines) + "\n"


def machine() -> dict:
    cpu = next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=CODINGS)
    parser.add_argument("--kept", action="store_true", help="with an allocator that keeps what was freed")
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "examples" / "dicom_speed")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    if options.kept and os.environ.get("GLIBC_TUNABLES") != KEPT:
        # The allocator reads it when a process starts.
        os.environ["GLIBC_TUNABLES"] = KEPT
        os.execv(sys.executable, [sys.executable, *sys.argv])
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_coding, every = collect(options.data, made.write(folder))
        rows, left_out = [], []
        for coding in [options.only] if options.only else CODINGS:
            files, apart = agreeing(options.program, by_coding[coding], folder)
            left_out += apart
            if files:
                rows.append(measured(coding, options.program, files, options.rounds))
                print(f"{coding}: {rows[-1]['pydicom_ms'] / rows[-1]['lightbox_ms']:.1f}", flush=True)
        head = measured_headers(options.program, every, folder, options.rounds)

    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {"lightbox": commit, **{p: importlib.metadata.version(p) for p in PEERS}},
        "rounds": options.rounds,
        "kept": options.kept,
        "headers": head,
        "rows": rows,
        "left_out": left_out,
    }
    print(table(result))
    if not options.only:
        options.out.mkdir(exist_ok=True)
        stem = options.out / f"{result['date']}-{'-'.join(result['machine']['cpu'].lower().split()[:2])}{'-kept' if options.kept else ''}"
        for row in rows:
            # The table has the large films; the others would be much text for little.
            row["each"] = [each for each in row["each"] if each["file"].startswith("made-")]
        stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
        stem.with_suffix(".md").write_text(table(result))


if __name__ == "__main__":
    main()

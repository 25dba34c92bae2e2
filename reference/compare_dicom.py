"""Compares `lightbox dicom decode` with pydicom: every file, every frame, three stages, value by value.

    VENV/bin/python reference/compare_dicom.py FOLDER... [--lightbox PATH] [--json FILE] [--verbose]

FOLDER is walked; `wheel` stands for the 176 files in pydicom's wheel; files in zstd (.zst) are unpacked into a
temporary folder. What pydicom does not open, or finds no pixels in, is left out. VENV holds requirements.txt.

A row is a file:

- identical: shape, type and every value agree in the three stages;
- within one level: lossy codecs only (DCT, 9/7 wavelet): stored values differ by one at most, and what follows is
  what pydicom makes of lightbox's stored values, exactly;
- as Pillow: the same, but somewhere more than one level from pylibjpeg, and every stored value is the one that pydicom
  gives with its other decoder, Pillow;
- as T.81: the same, but somewhere more than one level from pylibjpeg, and every stored value is within one level of the
  definition of the transform, which exact_jpeg.py computes (gray DCT pictures);
- refused: lightbox gives a reason and no values;
- both refuse: pydicom opens the file and cannot decode it either;
- beyond: lightbox decodes what pydicom cannot and this script has no truth for;
- WRONG: anything else, a crash included.

The exit status is 1 if a row is wrong or if more than 3 % of the files that pydicom decodes are refused.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom

import dicom_truth
import exact_jpeg

STAGES = ("stored", "modality", "display")
ORDER = ("identical", "within one level", "as Pillow", "as T.81", "refused", "both refuse", "beyond", "WRONG")
REFUSED = 3
"""Largest share, in percent, of decodable files that may be refused."""


def decoded(lightbox: str, path: Path, stage: str, out: Path):
    """The array that lightbox writes, or the reason why it does not."""
    command = [lightbox, "dicom", "decode", str(path), "--stage", stage, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600)
    if done.returncode == 0:
        return np.load(out), ""
    reason = " ".join(done.stderr.replace(str(path), "FILE").split())
    if done.returncode < 0 or "panicked" in reason:
        return None, f"CRASH {done.returncode}: {reason[:300]}"
    return None, reason or f"exit {done.returncode} without a reason"


def differences(ours: np.ndarray, truth: np.ndarray) -> str:
    """The first difference in words, or nothing."""
    if ours.shape != truth.shape:
        return f"shape {list(ours.shape)}, expected {list(truth.shape)}"
    if ours.dtype != truth.dtype:
        return f"type {ours.dtype}, expected {truth.dtype}"
    same = ours == truth
    if ours.dtype.kind == "f":
        same |= np.isnan(ours) & np.isnan(truth)
    if same.all():
        return ""
    at = tuple(int(i) for i in np.argwhere(~same)[0])
    off = np.abs(ours.astype(np.float64) - truth.astype(np.float64))
    return (
        f"{np.count_nonzero(~same)} of {same.size} values differ, by {np.nanmax(off):g} at most; first at {list(at)}: "
        f"{ours[at]} instead of {truth[at]}"
    )


def compare(lightbox: str, path: Path, name: str) -> dict | None:
    film = dicom_truth.read(path)
    if film is None:
        return None
    meta = getattr(film.ds, "file_meta", None)
    row = {
        "file": name,
        "syntax": str(meta.get("TransferSyntaxUID", "none")) if meta else "none",
        "space": film.space or str(film.ds.get("PhotometricInterpretation", "none")),
        "frames": 0 if film.stored is None else len(film.stored),
        "mended": film.mended,
        "forced": film.forced,
        "pydicom": film.failure,
        "detail": "",
    }
    with tempfile.TemporaryDirectory() as folder:
        ours, reasons = {}, {}
        for stage in STAGES:
            ours[stage], reasons[stage] = decoded(lightbox, path, stage, Path(folder) / f"{stage}.npy")
    row["kind"], row["detail"] = judge(film, ours, reasons)
    return row


def judge(film, ours: dict, reasons: dict) -> tuple[str, str]:
    crash = next((f"{s}: {r}" for s, r in reasons.items() if r.startswith("CRASH")), "")
    if crash:
        return "WRONG", crash
    refused = [s for s in STAGES if ours[s] is None]
    if film.stored is None:
        if len(refused) == len(STAGES):
            return "both refuse", reasons["stored"]
        return "beyond", f"pydicom: {film.failure.splitlines()[0]}"
    kind = "identical"
    if ours["stored"] is not None:
        detail = differences(ours["stored"], film.stored)
        if detail and film.lossy and close(ours["stored"], film.stored):
            kind = "within one level"
        elif detail and film.lossy and not differences(ours["stored"], dicom_truth.by_pillow(film)):
            kind = "as Pillow"
        elif detail and film.lossy and exact(film, ours["stored"]):
            kind = "as T.81"
        elif detail:
            return "WRONG", f"stored: {detail}"
    stored = film.stored if ours["stored"] is None else ours["stored"]
    notes = [detail] if kind != "identical" else []
    for stage in STAGES[1:]:
        if ours[stage] is None:
            continue
        try:
            truth = getattr(dicom_truth, stage)(film, stored)
        except Exception as problem:
            notes.append(f"{stage}: pydicom cannot: {type(problem).__name__}: {problem}")
            continue
        detail = differences(ours[stage], truth)
        if detail:
            return "WRONG", f"{stage}: {detail}"
    if refused:
        return "refused", f"{', '.join(refused)}: {reasons[refused[0]]}"
    return kind, "; ".join(notes)


def close(ours: np.ndarray, truth: np.ndarray) -> bool:
    return (
        ours.shape == truth.shape
        and ours.dtype == truth.dtype
        and int(np.abs(ours.astype(np.int64) - truth.astype(np.int64)).max()) <= 1
    )


def exact(film, ours: np.ndarray) -> bool:
    """Whether every frame is within one level of its transform's definition."""
    try:
        frames = [exact_jpeg.samples(coded) for coded in dicom_truth.coded(film.ds)]
        return all(np.abs(o - frame).max() <= 1 for o, frame in zip(ours, frames, strict=True))
    except Exception:
        return False


def files(folders: list, unpacked: Path):
    """(path, shown name, folder's name) of every file, in order."""
    for given in folders:
        root = Path(pydicom.__path__[0], "data", "test_files") if given == "wheel" else Path(given)
        label = "wheel" if given == "wheel" else root.name
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            name = path.relative_to(root)
            if path.suffix == ".zst":
                plain = unpacked / label / name.with_suffix("")
                plain.parent.mkdir(parents=True, exist_ok=True)
                with plain.open("wb") as out:
                    subprocess.run(["zstd", "-dc", str(path)], stdout=out, check=True)
                path = plain
            yield path, f"{label}/{name}", label


def table(rows: list) -> str:
    kinds = [k for k in ORDER if any(r["kind"] == k for r in rows)]
    lines = ["| folder | files | frames | " + " | ".join(kinds) + " |", "|" + "---|" * (3 + len(kinds))]
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["folder"]].append(row)
    for name, group in [*groups.items(), ("all", rows)]:
        counts = collections.Counter(r["kind"] for r in group)
        frames = sum(r["frames"] for r in group)
        lines.append(f"| {name} | {len(group)} | {frames} | " + " | ".join(str(counts[k]) for k in kinds) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--lightbox", default=str(Path(__file__).parent.parent / "target" / "release" / "lightbox"))
    parser.add_argument("--json", type=Path, help="write every row here")
    parser.add_argument("--verbose", action="store_true", help="print the rows that lossy codecs and pydicom explain, too")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as unpacked:
        found = list(files(options.folders, Path(unpacked)))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(lambda f: compare(options.lightbox, f[0], f[1]), found)
            rows = [{**row, "folder": f[2]} for f, row in zip(found, results) if row]

    print(table(rows))
    shown = ORDER[1:] if options.verbose else ("refused", "both refuse", "beyond", "WRONG")
    for kind in shown:
        for row in rows:
            if row["kind"] == kind:
                print(f"{kind:12} {row['file']} [{row['syntax']} {row['space']}] {row['detail']}")
    decodable = [r for r in rows if r["kind"] not in ("both refuse", "beyond")]
    wrong = sum(r["kind"] == "WRONG" for r in rows)
    refused = sum(r["kind"] == "refused" for r in rows)
    share = 100 * refused / max(len(decodable), 1)
    print(f"{len(found)} files walked, {len(rows)} with pixels; {wrong} wrong; {refused} refused ({share:.1f} %)")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return int(wrong > 0 or share > REFUSED)


if __name__ == "__main__":
    sys.exit(main())

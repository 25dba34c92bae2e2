"""lightbox and its peers on a CPU, in turns: `python run.py --models FOLDER --folder HF --peers FOLDER`.

    cargo build --release
    bash benchmarks/cpu/peers.sh PEERS                             # llama.cpp, candle; once
    VENV/bin/python reference/make_random_4b.py HF                 # 8.6 GB, once
    VENV/bin/python benchmarks/cpu/make_models.py MODELS           # 20 GB, once
    VENV/bin/python benchmarks/cpu/run.py --models MODELS --folder HF --peers PEERS [--minutes 35] [--rows …] [--rounds 3]

VENV holds reference/requirements.txt. A round runs every unit once: lightbox, then its peers, each a process of its own. A peer
that took 1.15 times as long as the best one of its row is not run again. Each result is appended to
benchmarks/record/MACHINE/DATE.csv at once; a unit that is there already (same program, round and instruction sets) is not run
again, so that a run which was cut short goes on where it stopped. After `--minutes` no unit is begun that would not end in time.
At the end the table and plots of benchmarks/README.md are made anew (report.py).

`--smoke` runs everything on a tiny model in a folder of its own and writes no record.
"""

import argparse
import csv
import datetime
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import programs
import report
import rows
from prompts import ROOT, Prompts, first_read

RECORD = ROOT / "benchmarks" / "record"
FIELDS = ("version", "cpu", "round", "row", "program", "seconds", "own_gib", "load_s", "scaled", "note")
BEHIND = 1.15
"""A peer that took so many times the best one's time is not run again."""
SCHEDULE = [("avx2", 1), ("avx2", 2), ("native", 1), ("avx2", 3), ("native", 2), ("native", 3)]
OFTEN = ("start",)
"""Units without a peer run once and for one set; these in each round."""


class Record:
    """The CSV: what is in it, and what is added."""

    def __init__(self, path: Path, places: programs.Places):
        self.path = path
        self.lines: list[dict] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with path.open(newline="") as file:
                self.lines = list(csv.DictReader(file))
        else:
            with path.open("w", newline="") as file:
                csv.DictWriter(file, FIELDS).writeheader()
        # The same program is known by its bytes, whatever has been committed since.
        digest, version = programs.version(places)
        self.version = next((l["version"] for l in self.lines if digest in l["version"]), version)

    def mine(self) -> list[dict]:
        return [line for line in self.lines if line["version"] == self.version]

    def has(self, cpu: str, round_: int, unit: str) -> bool:
        """Whether a unit has been run to its end."""
        return any((l["cpu"], l["round"], l["row"], l["program"]) == (cpu, str(round_), unit, "done") for l in self.mine())

    def add(self, cpu: str, round_: int, row: str, program: str, seconds: float | None, **more) -> None:
        line = {"version": self.version, "cpu": cpu, "round": round_, "row": row, "program": program}
        line |= {"seconds": "" if seconds is None else f"{seconds:.5g}"}
        line |= {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in more.items() if v is not None}
        line = {k: str(line.get(k, "")) for k in FIELDS}
        self.lines.append(line)
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, FIELDS).writerow(line)

    def keep(self, cpu: str, row: str, program: str) -> bool:
        """Whether a peer has to be run (again): not if it failed or fell behind in an earlier round."""
        taken = {}
        for line in self.mine():
            if line["cpu"] == cpu and line["row"] == row and line["program"] not in ("lightbox", "done"):
                taken.setdefault(line["program"], []).append(float(line["seconds"] or "inf"))
        if program not in taken:
            return True
        least = {name: min(times) for name, times in taken.items()}
        return least[program] <= BEHIND * min(least.values()) and least[program] != float("inf")


def machine_name() -> str:
    m = first_read.machine(os.cpu_count())
    slug = "-".join("".join(c if c.isalnum() else " " for c in m["cpu"].lower()).split())
    return f"{slug}-{m['cores']}-cores"


def about(peers: Path) -> str:
    """The machine and the peers, in words."""
    m = first_read.machine(os.cpu_count())
    features = ", ".join(m["features"])
    text = f"{m['cpu']} ({features}), {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; two threads.\n\nPeers: "
    built = (peers / "versions.txt").read_text().splitlines()
    pinned = (ROOT / "reference" / "requirements.txt").read_text().splitlines()
    named = [l.replace("==", " ") for l in pinned if l.startswith(("torch==", "transformers=="))]
    return text + "; ".join([*built, *named]) + ".\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="folder of make_models.py")
    parser.add_argument("--folder", type=Path, help="the same weights in Hugging Face layout, for PyTorch; not for --smoke")
    parser.add_argument("--peers", type=Path, required=True, help="folder of peers.sh")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="a Python with PyTorch and transformers")
    parser.add_argument("--lightbox", type=Path, default=ROOT / "target" / "release" / "lightbox")
    parser.add_argument("--rows", default="", help="comma-separated: " + ", ".join(rows.UNITS))
    parser.add_argument("--cpu", default="avx2,native", help="instruction sets: avx2, native")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--record", type=Path, help="another CSV than today's of this machine")
    parser.add_argument("--smoke", action="store_true")
    a = parser.parse_args()
    if not (a.smoke or a.folder):
        parser.error("--folder is missing")
    return a


def main() -> None:
    a = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        places = programs.Places(
            lightbox=a.lightbox.resolve(),
            peers=a.peers.resolve(),
            python=a.python,
            models=a.models.resolve(),
            shape="tiny" if a.smoke else "4b",
            folder=a.models / "folder" if a.smoke else a.folder.resolve(),
            threads=a.threads,
            temporary=Path(temporary),
        )
        if a.smoke:
            subprocess.run([sys.executable, Path(__file__).parent / "make_models.py", a.models, "--shape", "tiny"], check=True)
        path = a.record or RECORD / machine_name() / f"{datetime.date.today()}.csv"
        path = Path(temporary) / "smoke.csv" if a.smoke else path
        record = Record(path, places)
        (path.parent / "machine.md").write_text(about(a.peers))
        took: dict = {}
        end = time.monotonic() + a.minutes * 60
        prompts = Prompts(places.models)
        sets = ["avx2"] if a.smoke else a.cpu.split(",")
        for cpu, round_ in SCHEDULE:
            if cpu not in sets or round_ > (1 if a.smoke else a.rounds):
                continue
            for unit in rows.chosen([r for r in a.rows.split(",") if r]):
                run, seconds = rows.UNITS[unit]
                if unit in rows.APART and (cpu != sets[0] or (round_ > 1 and unit not in OFTEN)):
                    continue
                if record.has(cpu, round_, unit) or time.monotonic() + took.get((cpu, unit), seconds) > end:
                    continue

                def found(row: str, program: str, seconds: float | None, **more) -> None:
                    record.add(cpu, round_, row, program, seconds, **more)
                    shown = "failed" if seconds is None else f"{seconds:.3f} s"
                    note = more.get("note", "")
                    print(f"{cpu} {round_} {row}: {program} {shown}{note and ' (' + note + ')'}", flush=True)

                context = rows.Context(
                    places, prompts, cpu, round_, lambda row, program: record.keep(cpu, row, program), found, a.smoke
                )
                start = time.monotonic()
                try:
                    run(context)
                except rows.FAILURES as failure:
                    found(unit, "lightbox", None, note=rows.told(failure))
                    continue
                took[cpu, unit] = time.monotonic() - start
                record.add(cpu, round_, unit, "done", took[cpu, unit])
        if a.smoke:
            print(report.table(record.mine()))
            sys.exit(any(l["seconds"] == "" for l in record.mine()))
        report.write(record.path)


if __name__ == "__main__":
    main()

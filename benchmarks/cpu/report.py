"""The table and the plots of benchmarks/README.md from a CSV of run.py: `python report.py FILE.csv`."""

import csv
import statistics
import sys
from pathlib import Path

from rows import APART, WANTED, UNITS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- made by benchmarks/cpu/report.py from here -->", "<!-- to here -->"
SETS = {"avx2": "AVX2 on both sides (the yardstick)", "native": "all that the machine has"}
SPEEDS = {"decode": 1, "prefill-512": 512, "prefill-2048": 2048}


def by_round(lines: list[dict], row: str, program: str) -> dict:
    """Seconds by round."""
    return {l["round"]: float(l["seconds"]) for l in lines if (l["row"], l["program"]) == (row, program) and l["seconds"]}


def peers(lines: list[dict], row: str) -> dict:
    """Peers of a row that gave an answer, with their medians, the best one first."""
    names = {l["program"] for l in lines if l["row"] == row} - {"lightbox", "done"}
    medians = {n: statistics.median(t.values()) for n in names if (t := by_round(lines, row, n))}
    return dict(sorted(medians.items(), key=lambda m: m[1]))


def ratios(lines: list[dict], row: str, peer: str) -> list[float]:
    """How many times as fast lightbox was, in each round in which both ran."""
    ours, theirs = by_round(lines, row, "lightbox"), by_round(lines, row, peer)
    return [theirs[r] / ours[r] for r in sorted(ours.keys() & theirs.keys())]


def shown(row: str, seconds: float) -> str:
    """Tokens a second where a row is about tokens, seconds otherwise."""
    n = next((n for start, n in SPEEDS.items() if row.startswith(start)), None)
    return f"{n / seconds:.2f} tok/s" if n else f"{seconds:.2f} s"


def summary(lines: list[dict]) -> list[dict]:
    """One entry a wanted row: the best peer, the ratio, and whether it is enough."""
    out = []
    for row, wanted in WANTED.items():
        ours = by_round(lines, row, "lightbox")
        best = next((p for p in peers(lines, row) if ratios(lines, row, p)), None)
        entry = {"row": row, "wanted": wanted, "best": best, "ratio": None, "least": None, "rounds": 0}
        if ours and best:
            each = ratios(lines, row, best)
            entry |= {"ratio": statistics.median(each), "spread": (min(each), max(each)), "rounds": len(each)}
            entry |= {"ours": statistics.median(ours.values()), "theirs": peers(lines, row)[best]}
        out.append(entry)
    return out


def verdict(ratio: float, wanted) -> str:
    if ratio >= wanted.aim:
        return "aim reached"
    if ratio >= wanted.least:
        return "reached"
    return f"**short by {100 * (1 - ratio / wanted.least):.0f} %**"


def table(lines: list[dict]) -> str:
    text = []
    for cpu, what in SETS.items():
        chosen = [l for l in lines if l["cpu"] == cpu]
        if not chosen:
            continue
        text += [f"### {what[0].upper()}{what[1:]}", ""]
        text += ["| | lightbox | best peer | times as fast | rounds (least to most) | at least | aim | limit | |"]
        text += ["|---|---|---|---|---|---|---|---|---|"]
        for e in summary(chosen):
            w = e["wanted"]
            if e["ratio"] is None:
                failed = next((l["note"] for l in chosen if l["row"] == e["row"] and l["program"] == "lightbox" and l["note"]), "")
                text.append(f"| {w.name} | not measured{': ' + failed if failed else ''} | | | | {w.least} | {w.aim} | {w.limit or ''} | |")
                continue
            low, high = e["spread"]
            text.append(
                f"| {w.name} | {shown(e['row'], e['ours'])} | {shown(e['row'], e['theirs'])} ({e['best']}) | **{e['ratio']:.2f}** "
                f"| {e['rounds']} ({low:.2f} to {high:.2f}) | {w.least} | {w.aim} | {w.limit or ''} | {verdict(e['ratio'], w)} |"
            )
        text += ["", "Every peer of every row, medians:", ""]
        text += ["| | " + " | ".join(["lightbox", "peers"]) + " |", "|---|---|---|"]
        for row, w in WANTED.items():
            ours = by_round(chosen, row, "lightbox")
            if not ours:
                continue
            notes = {l["program"]: l for l in chosen if l["row"] == row}
            told = []
            for name, seconds in peers(chosen, row).items():
                scaled = notes[name]["scaled"]
                told.append(f"{name} {shown(row, seconds)}" + (f" (a part of the layers, × {scaled})" if scaled not in ("", "1") else ""))
            told += [f"{n} failed ({l['note']})" for n, l in notes.items() if n not in ("lightbox", "done") and not l["seconds"]]
            text.append(f"| {w.name} | {shown(row, statistics.median(ours.values()))} | {'; '.join(told)} |")
        text.append("")
    apart = [l for l in lines if l["row"] in APART and l["program"] != "done"]
    if apart:
        text += ["### Apart", "", "| | | |", "|---|---|---|"]
        groups: dict = {}
        for l in apart:
            groups.setdefault((l["row"], l["program"]), []).append(l)
        for (row, program), them in groups.items():
            values = [float(l["seconds"]) for l in them if l["seconds"]]
            number = APART[row][1].format(statistics.median(values)) if values else "failed"
            text.append(f"| {APART[row][0]}: {program} | {number} | {them[-1]['note']} |")
        text.append("")
    notes = sorted({(l["row"], l["note"]) for l in lines if "tokens equal" in l["note"] and l["row"] in UNITS})
    if notes:
        told = "; ".join(f"{WANTED[row].name}: {note}" for row, note in notes)
        text += [f"Answers of lightbox and llama.cpp on the same file and prompt (first round): {told}.", ""]
    return "\n".join(text).rstrip() + "\n"


def plot(lines: list[dict], cpu: str) -> str:
    """Bars of the ratios, with marks at what is wanted, as SVG."""
    entries = [e for e in summary([l for l in lines if l["cpu"] == cpu]) if e["ratio"]]
    left, bar, gap, width, top = 330, 16, 12, 820, 44
    most = max([e["ratio"] for e in entries] + [e["wanted"].aim for e in entries])
    x = lambda v: left + (width - left - 60) * v / most
    height = top + len(entries) * (bar + gap) + 10
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="10" y="18" font-size="14">Times as fast as the best peer, {SETS[cpu]}</text>',
        '<text x="10" y="34" fill="#666">line: at least; dashes: aim; grey line: as fast as the peer</text>',
    ]
    for i, e in enumerate(entries):
        y, w = top + i * (bar + gap), e["wanted"]
        colour = "#2a7d4f" if e["ratio"] >= w.aim else "#6aa84f" if e["ratio"] >= w.least else "#c9803a"
        out.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{w.name}</text>')
        out.append(f'<rect x="{left}" y="{y}" width="{x(e["ratio"]) - left:.1f}" height="{bar}" fill="{colour}"/>')
        out.append(f'<text x="{left + 5}" y="{y + 12}" fill="white">{e["ratio"]:.2f}</text>')
        for value, style in ((w.least, ""), (w.aim, ' stroke-dasharray="3 2"')):
            out.append(f'<path d="M{x(value):.1f} {y - 3}v{bar + 6}" stroke="black"{style}/>')
    out.append(f'<path d="M{x(1):.1f} {top - 4}V{height - 8}" stroke="#999"/></svg>')
    return "\n".join(out) + "\n"


def write(path: Path) -> None:
    """Puts the table of the newest version in a CSV, and links to its plots, between the marks of the README."""
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    version = lines[-1]["version"]
    lines = [l for l in lines if l["version"] == version]
    machine = (path.parent / "machine.md").read_text().strip()
    text = [BEGIN, "", f"{machine} {path.stem}, {version}.", ""]
    for cpu in SETS:
        if any(l["cpu"] == cpu and l["row"] in WANTED and l["program"] == "lightbox" and l["seconds"] for l in lines):
            drawn = path.with_name(f"{path.stem}-{cpu}.svg")
            drawn.write_text(plot(lines, cpu))
            text += [f"![Ratios, {SETS[cpu]}](record/{path.parent.name}/{drawn.name})", ""]
    text += [table(lines), END]
    readme = README.read_text()
    before, after = readme.split(BEGIN)[0], readme.split(END)[1]
    README.write_text(before + "\n".join(text) + after)


if __name__ == "__main__":
    write(Path(sys.argv[1]))

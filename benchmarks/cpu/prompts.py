"""The prompts: texts of an exact number of tokens, the film, and the two questions about it."""

import base64
import json
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks" / "first_read"))
import measure as first_read  # noqa: E402

SHARED = 260
"""Tokens of the instructions that both questions begin with, the turn's own tokens included."""
QUESTION = 40
BEFORE, AFTER = "<start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n"


class Prompts:
    def __init__(self, folder: Path, seed: int = 1):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.sentences = (ROOT / "reference" / "corpus.txt").read_text().split("\n")
        self.sentences = [s.strip() for s in self.sentences if s.strip()]
        self.random = random.Random(seed)

    def count(self, text: str) -> int:
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def words(self, n: int, before: str, after: str, seed: int) -> str:
        """Sentences, then digits, so that `before + text + after` has exactly n tokens."""
        pick = random.Random(seed)
        text = ""
        while self.count(before + (longer := f"{text} {pick.choice(self.sentences)}".strip()) + after) <= n - 2:
            text = longer
        text += " " if text else ""
        while self.count(before + text + after) < n:
            text += str(pick.randrange(10))
        assert self.count(before + text + after) == n, (n, text)
        return text

    def text(self, n: int, seed: int = 1) -> str:
        """A user's turn that makes a prompt of n tokens, <bos> included."""
        return self.words(n, "<bos>" + BEFORE, AFTER, seed)

    def questions(self) -> list[str]:
        """Two texts of SHARED + QUESTION tokens that differ in the last QUESTION."""
        head = self.words(SHARED, BEFORE, "", 2)
        return [head + " " + self.words(QUESTION, "", AFTER, seed) for seed in (3, 4)]


def request(text: str, n_new: int, picture: Path | None = None, top: bool = False) -> dict:
    """A body for `lightbox run`, greedy."""
    content = text
    if picture is not None:
        content = [{"type": "image_url", "image_url": {"url": str(picture)}}, {"type": "text", "text": text}]
    body = {"messages": [{"role": "user", "content": content}], "max_tokens": n_new, "temperature": 0}
    return body | ({"logprobs": True, "top_logprobs": 20} if top else {})


def film(folder: Path, side: int) -> Path:
    path = folder / f"film-{side}.png"
    path.write_bytes(first_read.png(side, side))
    return path


def server_prompt(text: str, picture: Path | None) -> object:
    """The same prompt for llama-server, which puts <bos> before it and the picture's markers around it."""
    if picture is None:
        return BEFORE + text + AFTER
    image = base64.b64encode(picture.read_bytes()).decode()
    # The blank lines that the family's processor puts around a picture.
    return {"prompt_string": f"{BEFORE}\n\n{MARKER}\n\n{text}{AFTER}", "multimodal_data": [image]}


MARKER = "<__media__>"


def write(path: Path, body: dict) -> Path:
    path.write_text(json.dumps(body))
    return path

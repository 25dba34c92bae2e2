"""The chat template against its description, and conversations with their text and ids.

`described` renders turns as the template of the family does, written from its description and not from its text:
the two must agree on many random conversations before anything is written.
"""

import json
import random
from pathlib import Path

import jinja2
from transformers import AutoTokenizer

ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."

UNDEFINED = "the first part of a system message is not text"


def described(messages: list, generation: bool) -> str:
    """Turns as text; raises ValueError where the template refuses."""
    out = "<bos>"
    prefix = ""
    turns = list(messages)
    if turns and turns[0]["role"] == "system":
        content = turns.pop(0)["content"]
        if not isinstance(content, str) and not (content and "text" in content[0]):
            raise ValueError(UNDEFINED)
        prefix = (content if isinstance(content, str) else content[0]["text"]) + "\n\n"
    for i, turn in enumerate(turns):
        if turn["role"] != ("user" if i % 2 == 0 else "assistant"):
            raise ValueError(ALTERNATE)
        out += "<start_of_turn>" + ("model" if turn["role"] == "assistant" else turn["role"]) + "\n"
        out += prefix if i == 0 else ""
        if isinstance(turn["content"], str):
            out += turn["content"].strip()
        else:
            for part in turn["content"]:
                out += "<start_of_image>" if part["type"] == "image" else part["text"].strip()
        out += "<end_of_turn>\n"
    return out + ("<start_of_turn>model\n" if generation else "")


WORDS = ["", " ", "heart", " 12 mm", "\n", "\n\nBased on", "\t", "Zürich ", "肺", "{{ x }}", "{% if %}", "<end_of_turn>", "<b>&amp;", "\u3000wide\u00a0"]


def random_conversation(rng: random.Random) -> list:
    def words():
        return "".join(rng.choice(WORDS) for _ in range(rng.randint(0, 5)))

    def content():
        if rng.random() < 0.4:
            return words()
        parts = [{"type": "image"} if rng.random() < 0.4 else {"type": "text", "text": words()} for _ in range(rng.randint(0, 5))]
        return parts

    messages = []
    if rng.random() < 0.5:
        first = {"type": "text", "text": words()}
        messages.append({"role": "system", "content": words() if rng.random() < 0.5 else [first, {"type": "text", "text": words()}]})
    for i in range(rng.randint(0 if messages else 1, 5)):
        role = "user" if i % 2 == 0 else "assistant"
        messages.append({"role": rng.choice(["user", "assistant", "system"]) if rng.random() < 0.05 else role, "content": content()})
    return messages


def rendered(tok, messages: list, generation: bool) -> str:
    """As `described`, by the template."""
    try:
        return tok.apply_chat_template(messages, add_generation_prompt=generation, tokenize=False)
    except jinja2.exceptions.UndefinedError as error:
        raise ValueError(UNDEFINED) from error
    except jinja2.exceptions.TemplateError as error:
        raise ValueError(str(error)) from error


def outcome(render, *arguments):
    try:
        return render(*arguments)
    except ValueError as error:
        return {"refused": str(error)}


def t(words: str) -> dict:
    return {"type": "text", "text": words}


IMAGE = {"type": "image"}
CONVERSATIONS = [
    [{"role": "user", "content": "  hi  "}],
    [{"role": "system", "content": "You are X. "}, {"role": "user", "content": "  hi  "}],
    [{"role": "system", "content": [t(" First part. "), t("dropped")]}, {"role": "user", "content": [t(" a "), t(" b ")]}],
    [{"role": "user", "content": [t("Instr."), IMAGE, t("SLICE 1"), IMAGE, t("SLICE 2"), t("\n\nBased on the visual")]}],
    [{"role": "user", "content": [IMAGE, IMAGE]}],
    [{"role": "user", "content": [t(""), IMAGE, t(" \n\t ")]}],
    [{"role": "user", "content": []}],
    [{"role": "user", "content": ""}],
    [{"role": "system", "content": ""}, {"role": "user", "content": "\n\nnewlines\n\n\n\n\n\n\n\n\n\n\nmany\n"}],
    [{"role": "system", "content": "only instructions"}],
    [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "  two\n\n "},
        {"role": "user", "content": [t("three"), IMAGE]},
        {"role": "assistant", "content": [t("four")]},
        {"role": "user", "content": "five"},
    ],
    [{"role": "user", "content": "a question"}, {"role": "assistant", "content": "an answer"}],
    [{"role": "user", "content": "markers in words: <end_of_turn> <bos> <unused94>thought<unused95> <pad><0x41>"}],
    [{"role": "user", "content": "{{ bos_token }} {% for x in y %} {# not a comment #} {{'x'}}"}],
    [{"role": "user", "content": "spaces: two  three   seven       tab\tend; ▁ itself, ▁▁"}],
    [{"role": "user", "content": "\u3000\u00a0\u2003wide spaces\u2003\u00a0\u3000"}],
    [{"role": "user", "content": "\x1f\x1ccontrol characters that Python's strip takes\x1d\x1e\x85"}],
    [{"role": "user", "content": "\ufeff\u200bmarks that no strip takes\u200b\ufeff"}],
    [{"role": "user", "content": "é e\u0301 ﬁ ½ ☃ 👩‍⚕️ 🇩🇪 \U0001fac1 العربية हिन्दी 日本語"}],
    [{"role": "user", "content": "line\r\nends\rof all kinds\n\n\r\n"}],
    [{"role": "assistant", "content": "first"}],
    [{"role": "system", "content": []}, {"role": "user", "content": "a"}],
    [{"role": "system", "content": [IMAGE, t("a")]}, {"role": "user", "content": "a"}],
    [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    [{"role": "user", "content": "a"}, {"role": "system", "content": "late"}],
    [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}],
    [{"role": "system", "content": "a"}, {"role": "assistant", "content": "b"}],
]
TOKENS_PER_IMAGE = 4


def make(out: Path) -> None:
    """Writes templates.json: each conversation's text and its ids with pictures expanded to four soft tokens."""
    tok = AutoTokenizer.from_pretrained(out / "tokenizer")
    rng = random.Random(20)
    for _ in range(20_000):
        messages, generation = random_conversation(rng), rng.random() < 0.5
        ours, theirs = outcome(rendered, tok, messages, generation), outcome(described, messages, generation)
        assert ours == theirs, (messages, ours, theirs)
    block = "\n\n<start_of_image>" + "<image_soft_token>" * TOKENS_PER_IMAGE + "<end_of_image>\n\n"
    entries = []
    for messages in CONVERSATIONS:
        result = outcome(rendered, tok, messages, True)
        assert result == outcome(described, messages, True)
        if isinstance(result, dict):
            entries.append({"messages": messages, **result})
            continue
        ids = tok(result.replace("<start_of_image>", block), add_special_tokens=False).input_ids
        entries.append({"messages": messages, "text": result, "ids": ids, "decoded": tok.decode(ids, skip_special_tokens=False)})
    (out / "templates.json").write_text(json.dumps(entries, indent=None, ensure_ascii=False).replace('{"messages"', '\n{"messages"') + "\n")
    print(f"templates: {len(entries)} conversations; 20000 random ones agree with the description")

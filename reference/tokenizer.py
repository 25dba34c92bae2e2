"""The small tokenizer of all goldens: the family's pipeline and special tokens over a vocabulary of our own.

The pipeline is that of Gemma's tokenizer.json: every space becomes U+2581, no prefix space, BPE with byte fallback and
fused unknowns, and a decoder that undoes it. The ids differ from the family's own on purpose: a program must find
special tokens by their text.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
N_MERGED = 150
"""Pieces longer than one character that training may add."""

# In the order of their ids. `<unused…>` markers are added tokens but not flagged special, as in the family.
HEAD = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "[multimodal]", "<unused0>", "<unused1>", "<unused94>", "<unused95>"]
TURNS = ["<start_of_turn>", "<end_of_turn>"]
NEWLINES = ["\n" * n for n in range(1, 9)]
SPACES = ["▁" * n for n in range(2, 7)]
IMAGES = ["<start_of_image>", "<end_of_image>"]
TAIL = ["<unused99>", "<image_soft_token>"]
SPECIAL = {"<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *TURNS, *IMAGES, "<image_soft_token>"}


def build() -> Tokenizer:
    """Trains the merges and lays out the vocabulary: markers, bytes, pieces, picture markers last."""
    text = (HERE / "corpus.txt").read_text(encoding="utf-8")
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n+|[0-9]"), "isolated"),
            pre_tokenizers.Split("▁", "merged_with_next"),
            pre_tokenizers.Split(Regex(r"[.,:;?/]"), "isolated"),
        ]
    )
    alphabet = sorted(set(text.replace(" ", "▁").replace("\n", "")) | set("0123456789-()'\"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    trainer = trainers.BpeTrainer(vocab_size=len(alphabet) + N_MERGED, initial_alphabet=alphabet, show_progress=False)
    trained.train_from_iterator(text.splitlines(), trainer)
    learnt = json.loads(trained.to_str())["model"]
    pieces = sorted((p for p in learnt["vocab"] if p not in NEWLINES), key=learnt["vocab"].get)
    merges = [tuple(m) for m in learnt["merges"]]
    # Runs of spaces are ordinary pieces of the family's vocabulary, reached by merges of their own.
    merges += [("▁" * (n - 1), "▁") for n in range(2, 7)]
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    order = HEAD + TURNS + NEWLINES + SPACES + bytes_ + pieces + IMAGES + TAIL
    assert len(set(order)) == len(order)
    vocab = {piece: i for i, piece in enumerate(order)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", vocab["<bos>"])]
    )
    added = HEAD + TURNS + NEWLINES + SPACES + IMAGES + TAIL
    tokenizer.add_tokens([AddedToken(t, normalized=False, special=t in SPECIAL) for t in added])
    assert tokenizer.get_vocab_size() == len(order)
    return tokenizer


def config(tokenizer: Tokenizer) -> dict:
    """The tokenizer_config.json beside it, with the keys of the family's own."""
    ids = {t: tokenizer.token_to_id(t) for t in HEAD + TURNS + NEWLINES + SPACES + IMAGES + TAIL}
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "added_tokens_decoder": {
            str(i): {
                "content": t,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": t in SPECIAL,
            }
            for t, i in sorted(ids.items(), key=lambda pair: pair[1])
        },
        "boi_token": "<start_of_image>",
        "bos_token": "<bos>",
        "clean_up_tokenization_spaces": False,
        "eoi_token": "<end_of_image>",
        "eos_token": "<eos>",
        "extra_special_tokens": {
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "image_token": "<image_soft_token>",
        },
        "image_token": "<image_soft_token>",
        "model_max_length": 1000000000000000019884624838656,
        "pad_token": "<pad>",
        "processor_class": "Gemma3Processor",
        "spaces_between_special_tokens": False,
        "tokenizer_class": "GemmaTokenizer",
        "unk_token": "<unk>",
        "use_default_system_prompt": False,
    }


def save(folder: Path) -> Tokenizer:
    """Writes tokenizer.json, tokenizer_config.json and chat_template.jinja."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build()
    (folder / "tokenizer.json").write_text(
        json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )
    (folder / "tokenizer_config.json").write_text(json.dumps(config(tokenizer), indent=1, ensure_ascii=False) + "\n")
    (folder / "chat_template.jinja").write_text((HERE / "chat_template.jinja").read_text())
    return tokenizer

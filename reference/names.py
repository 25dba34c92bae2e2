"""The tensor namings that files of the family carry, from the module names of transformers 5."""

# Module names of transformers 5.23: model.language_model.…, model.vision_tower.…, model.multi_modal_projector.…
# (multimodal), model.… (text only), lm_head.weight (both).


def hub(name: str) -> str:
    """What the hub's files say: the names of transformers before 4.52."""
    if name == "lm_head.weight":
        return "language_model.lm_head.weight"
    name = name.replace("model.language_model.", "language_model.model.", 1)
    name = name.replace("model.vision_tower.", "vision_tower.vision_model.", 1)
    return name.replace("model.multi_modal_projector.", "multi_modal_projector.", 1)


def middle(name: str) -> str:
    """Files saved by 4.52 to 4.57 without going back to the old names."""
    return name.replace("model.vision_tower.", "model.vision_tower.vision_model.", 1)


def modern(name: str) -> str:
    """Transformers 5 as it is; also the text-only naming of every version."""
    return name


def mixed(name: str, position: int) -> str:
    """A file that went through several hands."""
    return [hub, middle, modern][position % 3](name)


NAMINGS = {"hub": hub, "middle": middle, "modern": modern}


def rename(names: list[str], naming: str) -> dict[str, str]:
    """Module name to stored name."""
    if naming == "mixed":
        return {n: mixed(n, i) for i, n in enumerate(names)}
    return {n: NAMINGS[naming](n) for n in names}

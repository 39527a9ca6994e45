"""What a store holds, for people and for programs."""

import json
from collections.abc import Sequence

from edge.recipe.slots import Slots
from edge.recipe.store import Kept


def in_words(slots: Slots, trial_parts: int) -> str:
    """Who judges, on one line."""
    words = [f"good {slots.good}"]
    if trial := slots.trial:
        doubt = f", doubted: {trial.doubt}" if trial.doubt else ""
        words.append(f"on trial {trial.recipe} ({trial.parts} of {trial_parts} parts, {trial.deaths} deaths{doubt})")
    if slots.previous:
        words.append(f"good before {slots.previous}")
    return "; ".join(words)


def as_table(kept: Sequence[Kept], slots: Slots | None) -> str:
    """Every recipe on a line of its own: slot, name, id, when it was added, size, signature."""
    rows = [
        (
            role_of(each, slots),
            each.recipe.name,
            each.recipe.id[:12],
            f"{each.added_utc:%Y-%m-%d %H:%M}",
            f"{each.bytes / 1e6:.1f} MB",
            each.fault or ("signed" if each.signed else "not signed"),
        )
        for each in kept
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def as_json(kept: Sequence[Kept], slots: Slots | None) -> str:
    """The same as one JSON object."""
    recipes = [
        {
            "id": each.recipe.id,
            "name": each.recipe.name,
            "role": role_of(each, slots) or None,
            "added_utc": each.added_utc.isoformat(),
            "bytes": each.bytes,
            "signed": each.signed,
            "fault": each.fault or None,
        }
        for each in kept
    ]
    return json.dumps({"slots": slots.model_dump(mode="json") if slots else None, "recipes": recipes})


def role_of(kept: Kept, slots: Slots | None) -> str:
    """What the recipe is for the station; empty where it only lies there."""
    if slots is None:
        return ""
    if slots.trial and slots.trial.recipe.id == kept.recipe.id:
        return "trial"
    return {slots.good.id: "good", slots.previous.id if slots.previous else "": "previous"}.get(kept.recipe.id, "")

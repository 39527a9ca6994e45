"""Maps and likenesses in words."""

from collections.abc import Sequence

from calibration.atlas.gather import Gathered, Unseen
from calibration.atlas.outsiders import Outsider
from calibration.atlas.reduce import Plane
from calibration.atlas.similar import Alike, Supplier

_MOST_LINES = 12


def made(plane: Plane) -> str:
    """How the plane was made, in one line."""
    match plane.method:
        case "pca":
            first, second = plane.explained or (0.0, 0.0)
            return f"PCA; the two axes hold {first:.1%} and {second:.1%} of the variance"
        case "tsne":
            return f"t-SNE of perplexity {plane.perplexity:.3g}, seed {plane.seed}"
        case "umap":
            return f"UMAP, seed {plane.seed}"


def meaning(plane: Plane) -> str:
    """What the distances on a plane mean and do not mean."""
    match plane.method:
        case "pca":
            first, second = plane.explained or (0.0, 0.0)
            return (
                "Distances are true along the two directions in which these pictures vary most, and these hold "
                f"{first + second:.0%} of the variance: pictures far apart here do differ, pictures that coincide here may "
                f"still differ in the other {1 - first - second:.0%}."
            )
        case "tsne":
            why = "Wattenberg, Viégas and Johnson 2016, How to Use t-SNE Effectively"
        case "umap":
            why = "UMAP keeps neighbours, as t-SNE does"
    return (
        "Near means alike: pictures that stand together are neighbours for the encoder. Far means little: how far two "
        "clouds stand apart, how large or dense one is and which way it lies say nothing, and another seed puts them "
        f"elsewhere ({why})."
    )


def why_outside(outsider: Outsider) -> str:
    """What makes a picture an outsider."""
    if outsider.how == "amid":
        return f"{outsider.others} of its {outsider.asked} nearest pictures are of other kinds, mostly {outsider.among}"
    return f"far from all of its own kind (modified z-score {outsider.far:.1f})"


def where(outsider: Outsider) -> str:
    """The same in a cell of a table."""
    if outsider.how == "amid":
        return f"amid {outsider.among}, {outsider.others} of {outsider.asked}"
    return f"far, {outsider.far:.1f}"


def count_outside(found: Sequence[Outsider], gathered: Gathered) -> str:
    """The sentence that a map's page leads with."""
    pictures, kinds = len(gathered.seen), len(set(gathered.kinds))
    amid = sum(each.how == "amid" for each in found)
    of = f"{pictures} pictures of {kinds} kinds" if kinds > 1 else f"{pictures} pictures of one kind"
    where = [f"{amid} lie amid another kind"] if kinds > 1 else []
    words = f"{of}: {', '.join([*where, f'{len(found) - amid} far from all others of their own'])}."
    return words + (f" {left_out(gathered.unseen)}" if gathered.unseen else "")


def left_out(unseen: Sequence[Unseen]) -> str:
    """How many pictures are not there, and why."""
    reasons = ", ".join(sorted({each.reason for each in unseen}))
    return f"{len(unseen)} could not be looked at ({reasons})."


def map_in_words(gathered: Gathered, plane: Plane, found: Sequence[Outsider]) -> str:
    """A map for people without a browser: what lies where it should not."""
    lines = [count_outside(found, gathered), f"plane: {made(plane)}"]
    for outsider in found[:_MOST_LINES]:
        each = gathered.seen[outsider.number]
        lines.append(f"  {each.picture.group:<12} {each.picture.path.name}: {each.decision}, {why_outside(outsider)}")
    if len(found) > _MOST_LINES:
        lines.append(f"  and {len(found) - _MOST_LINES} more, all in the page and in --json")
    return "\n".join(lines)


def alike_in_words(found: Sequence[Alike]) -> str:
    """The nearest pictures, a line each."""
    return "\n".join(
        f"  {each.distance:.4f}  {each.seen.decision:<13}  {each.seen.picture.group}  {each.seen.picture.path}"
        for each in found
    )


def suppliers_in_words(found: Sequence[Supplier], places: int) -> str:
    """The good pictures of the bank that a picture's patches are nearest to, a line each."""
    return "\n".join(
        f"  nearest at {each.places:>5} of {places} places, mean distance {each.distance:.2f}; "
        f"{each.in_bank} of its patches are in the bank  {each.picture}"
        for each in found
    )

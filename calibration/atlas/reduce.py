"""Embeddings become points on a plane."""

from dataclasses import dataclass
from importlib.metadata import distributions
from typing import Literal

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from edge.errors import BadConfig
from edge.types import Doubles, Floats

Method = Literal["pca", "tsne", "umap"]

LEAST = 3
"""Fewer pictures have no plane."""

TSNE_FROM = 30
"""Pictures from which t-SNE is the default: fewer have no neighbourhoods that it could keep."""

_TSNE_LEAST = 10
_PERPLEXITY = (5.0, 30.0)
"""Effective number of neighbours; van der Maaten and Hinton (2008) call 5 to 50 typical, 30 is scikit-learn's default."""

_AXES_BEFORE = 50
"""t-SNE starts from at most so many principal axes, to suppress noise (scikit-learn's advice; the paper took 30)."""

_NEIGHBOURS = 15
"""UMAP's own default."""


@dataclass(frozen=True, slots=True)
class Plane:
    """points: n×2 float64. explained: the share of all variance on each axis, of PCA alone; perplexity: of t-SNE alone."""

    points: Doubles
    method: Method
    seed: int
    explained: tuple[float, float] | None = None
    perplexity: float | None = None


def standardised(embeddings: Floats) -> Doubles:
    """n×D: each number of the embedding with mean 0 and standard deviation 1 over these pictures.

    An encoder's numbers have very different spreads, which say nothing of their worth; so each counts alike. One that does
    not vary at all becomes 0.
    """
    wide = embeddings.astype(np.float64)
    deviation = wide.std(axis=0)
    # A number that does not vary has a deviation of rounding errors at most.
    varies = deviation > 1e-9 * np.abs(wide).max(axis=0, initial=1e-300)
    return np.where(varies, (wide - wide.mean(axis=0)) / np.where(varies, deviation, 1), 0.0)


def default_method(pictures: int) -> Method:
    """t-SNE where there are enough pictures for it, else PCA."""
    return "tsne" if pictures >= TSNE_FROM else "pca"


def reduce(standard: Doubles, method: Method, seed: int) -> Plane:
    """n×D standardised embeddings to the plane; the same seed gives the same plane on the same computer.

    Raises:
        BadConfig: too few pictures for the method, or it is not installed.
    """
    count = len(standard)
    if count < LEAST:
        raise BadConfig(f"{count} pictures have no map; give at least {LEAST}.")
    if not standard.any():
        raise BadConfig("all pictures have the same embedding, so there is nothing to map; give different pictures.")
    # One thread: more wait for each other where the computer has something else to do, and a seed is then no promise.
    with threadpool_limits(1):
        match method:
            case "pca":
                return _pca(standard, seed)
            case "tsne":
                return _tsne(standard, seed)
            case "umap":
                return _umap(standard, seed)


def require(method: Method, pictures: int) -> None:
    """Say before any picture is looked at that a method cannot be used.

    Raises:
        BadConfig: too few pictures, or UMAP is not installed.
    """
    if method == "tsne" and pictures < _TSNE_LEAST:
        raise BadConfig(f"--method tsne: needs at least {_TSNE_LEAST} pictures, there are {pictures}; use --method pca.")
    # Not by the module's name, which another package has too.
    if method == "umap" and not any(distributions(name="umap-learn")):
        raise BadConfig("--method umap: needs the package umap-learn; install it with: pip install umap-learn.")


def _pca(standard: Doubles, seed: int) -> Plane:
    fitted = PCA(n_components=2, svd_solver="full").fit(standard)
    first, second = (float(share) for share in fitted.explained_variance_ratio_)
    return Plane(np.asarray(fitted.transform(standard)), "pca", seed, explained=(first, second))


def _tsne(standard: Doubles, seed: int) -> Plane:
    require("tsne", len(standard))
    low, high = _PERPLEXITY
    perplexity = min(high, max(low, (len(standard) - 1) / 3))
    axes = min(_AXES_BEFORE, *standard.shape)
    start = PCA(n_components=axes, svd_solver="full").fit_transform(standard)
    drawn = TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(start)
    return Plane(np.asarray(drawn, np.float64), "tsne", seed, perplexity=perplexity)


def _umap(standard: Doubles, seed: int) -> Plane:
    require("umap", len(standard))
    from umap import UMAP  # noqa: PLC0415 - large, and not among our dependencies

    # n_jobs: a seed allows UMAP one thread only, and it warns unless it is told so.
    how = UMAP(n_neighbors=min(_NEIGHBOURS, len(standard) - 1), random_state=seed, n_jobs=1)
    return Plane(np.asarray(how.fit_transform(standard), np.float64), "umap", seed)

"""Models by name from timm or torchvision, where those are installed. Nothing is downloaded: weights come as a file."""

import importlib
from pathlib import Path
from types import ModuleType

from edge.errors import BadSource
from export.sources.factory import call, first_line, from_model
from export.sources.preparation import from_numbers
from export.sources.source import Preparation, Source

CHECK = "check its name and --size"


def open_timm(name: str, weights: Path | None, size: tuple[int, int]) -> Source:
    """``timm.create_model(NAME, pretrained=False)`` with the input size where the model takes one.

    Raises:
        BadSource: timm is not installed, does not know the model, or it cannot be made.
        BadWeights: the weights cannot be read.
    """
    timm = _library("timm", f"timm:{name}")

    def sized(img_size: int | tuple[int, int]) -> object:
        try:
            return timm.create_model(name, pretrained=False, img_size=img_size)
        except TypeError:  # a CNN takes any size and no such argument
            return timm.create_model(name, pretrained=False)

    return from_model(call(sized, f"timm:{name}", size, CHECK), name, f"timm {timm.__version__}, {name}", weights, size)


def open_torchvision(name: str, weights: Path | None, size: tuple[int, int]) -> Source:
    """``torchvision.models.get_model(NAME, weights=None)``; mean and std are those of its published weights.

    Raises:
        BadSource: torchvision is not installed, does not know the model, or it cannot be made.
        BadWeights: the weights cannot be read.
    """
    torchvision = _library("torchvision", f"torchvision:{name}")
    models = _library("torchvision.models", f"torchvision:{name}")

    def sized(image_size: int | tuple[int, int]) -> object:
        try:
            return models.get_model(name, weights=None, image_size=image_size)
        except TypeError:  # a CNN takes any size and no such argument
            return models.get_model(name, weights=None)

    module = call(sized, f"torchvision:{name}", size, CHECK)
    if "transform_input" in vars(module):
        vars(module)["transform_input"] = True  # as get_model sets it with published weights, of another preparation
    origin = f"torchvision {torchvision.__version__}, {name}"
    return from_model(module, name, origin, weights, size, _published(models, name))


def _published(models: ModuleType, name: str) -> Preparation | None:
    try:
        transforms = models.get_model_weights(name).DEFAULT.transforms()
    except (AttributeError, ValueError):  # a model without published weights
        return None
    return from_numbers(transforms.mean, transforms.std, "rgb", "torchvision's published weights", pixel_range=1)


def _library(library: str, wanted: str) -> ModuleType:
    package = library.partition(".")[0]
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as err:
        if err.name != package:
            raise BadSource(f"{wanted}: {package} needs {err.name}, which is not installed; install it.") from None
        raise BadSource(f"{wanted} needs {package}, which is not installed; install it, or use a factory.") from None
    except Exception as err:  # noqa: BLE001 - a build that does not match torch raises anything
        raise BadSource(
            f"{wanted}: {package} does not import beside this torch ({first_line(err)}); install the release that matches."
        ) from None

"""The encoder's folder: encoder.onnx and its card, both or nothing."""

import hashlib
import os
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edge.errors import BadConfig
from edge.inspect.card import CARD_FILE, MODEL_FILE, EncoderCard, GridCard, InputCard, ParityCard, QuantisationCard
from edge.inspect.encoder import Encoder
from export.backbones import Backbone
from export.graph import OPSET
from export.parity import Agreement, Features

MAKERS = ("goodpart", "torch", "onnx", "onnxscript", "onnxruntime")
"""Distributions whose releases decide what the file looks like."""


def describe(
    backbone: Backbone,
    weights: Path,
    model: bytes,
    size: tuple[int, int],
    example: Features,
    agreement: Agreement,
    quantisation: QuantisationCard | None,
) -> EncoderCard:
    """The card of `model`, the bytes of an encoder.onnx.

    Args:
        backbone: what was exported.
        weights: the checkpoint it was loaded from.
        model: the bytes that will be written.
        size: height and width of the input.
        example: features of any one picture, for the shapes.
        agreement: how far `model` lies from torch.
        quantisation: None for FP32.
    """
    height, width = size
    precision = "int8" if quantisation else "fp32"
    stride = backbone.strides[backbone.blueprint.taps[0]]
    return EncoderCard(
        name=f"{backbone.blueprint.name}-{height if height == width else f'{height}x{width}'}-{precision}",
        source=backbone.blueprint.source,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        precision="int8" if quantisation else "fp32",
        input=InputCard(height=height, width=width),
        grid=GridCard(
            rows=height // stride,
            cols=width // stride,
            patch_dim=example.patches.shape[1],
            embedding_dim=example.embedding.shape[0],
        ),
        quantisation=quantisation,
        parity=ParityCard(pictures=agreement.pictures, max_abs=agreement.max_abs, cosine=agreement.cosine),
        opset=OPSET,
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        onnx_bytes=len(model),
        made_utc=datetime.now(UTC).replace(microsecond=0),
        made_with={name: version(name) for name in MAKERS},
    )


def check_target(folder: Path, force: bool) -> None:
    """Refuse a folder that must not or cannot be filled, before the long work.

    Raises:
        BadConfig: an encoder is there already and `force` is not given, or the place cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise BadConfig(f"--out: {folder} is a file; name a folder.")
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise BadConfig(f"--out: {folder} cannot be written; name another folder.")
    if not force and any((folder / name).exists() for name in (MODEL_FILE, CARD_FILE)):
        raise BadConfig(f"--out: {folder} holds an encoder already; name another folder or add --force.")


def write_encoder(folder: Path, model: bytes, card: EncoderCard) -> None:
    """Open the encoder as a device would, then put both files into `folder`.

    Raises:
        BadEncoder: the device's own check refuses it.
        BadConfig: the folder cannot be written.
    """
    Encoder(model, card)(np.zeros((card.input.height, card.input.width, 3), np.uint8))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            for name, raw in ((MODEL_FILE, model), (CARD_FILE, f"{card.model_dump_json(indent=2)}\n".encode())):
                _write_through(scratch / name, raw)
            # A model without its card is no encoder, and a card of another model is refused by its hash: whenever the
            # power goes, a device finds an old encoder, none, or the new one.
            (folder / CARD_FILE).unlink(missing_ok=True)
            (scratch / MODEL_FILE).replace(folder / MODEL_FILE)
            (scratch / CARD_FILE).replace(folder / CARD_FILE)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as err:
        raise BadConfig(f"--out: {folder} cannot be written: {err.strerror}; name another folder.") from None


def _write_through(path: Path, raw: bytes) -> None:
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())

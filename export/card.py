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
from edge.host.files import write_through
from edge.inspect.card import (
    CARD_FILE,
    MODEL_FILE,
    CertificateCard,
    EncoderCard,
    GridCard,
    InputCard,
    PreparationCard,
)
from edge.inspect.encoder import Encoder
from export.certificate import CERTIFICATE_FILE, certificate_in_words
from export.design import Design
from export.graph import OPSET
from export.numbers import Quantised
from export.parity import Features
from export.vectors import REFERENCE_FILE

MAKERS = ("goodpart", "torch", "onnx", "onnxscript", "onnxruntime")
"""Distributions whose releases decide what the file looks like."""

MOST_LETTERS = 80
"""Of the source's name; the card's also has size and precision."""


def describe(
    design: Design,
    model: bytes,
    example: Features,
    made: Quantised,
    certificate: CertificateCard,
    references: bytes,
) -> EncoderCard:
    """The card of `model`, the bytes of an encoder.onnx.

    Args:
        design: what was exported.
        model: the bytes that will be written.
        example: features of any one picture, for the shapes.
        made: how its numbers are stored.
        certificate: the proof.
        references: the bytes of its reference vectors.
    """
    height, width = design.size
    source, taps = design.source, design.taps
    wanted = source.preparation
    return EncoderCard(
        name=f"{source.name[:MOST_LETTERS]}-{height if height == width else f'{height}x{width}'}-{made.profile.precision}",
        source=source.origin,
        weights_sha256=source.weights_sha256,
        precision=made.profile.precision,
        profile=made.profile.name,
        input=InputCard(height=height, width=width),
        preparation=PreparationCard(mean=wanted.mean, std=wanted.std, colour=wanted.colour, origin=wanted.origin),
        taps=tuple(tap.name for tap in taps),
        grid=GridCard(
            rows=taps[0].rows,
            cols=taps[0].cols,
            patch_dim=example.patches.shape[1],
            embedding_dim=example.embedding.shape[0],
        ),
        quantisation=made.card,
        certificate=certificate,
        opset=OPSET,
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        onnx_bytes=len(model),
        reference_sha256=hashlib.sha256(references).hexdigest(),
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


def write_encoder(folder: Path, model: bytes, card: EncoderCard, references: bytes) -> None:
    """Open the encoder as a device would, then put its files into `folder`: model, card, proof for people and machines.

    Raises:
        BadEncoder: the device's own check refuses it.
        BadConfig: the folder cannot be written.
    """
    Encoder(model, card)(np.zeros((card.input.height, card.input.width, 3), np.uint8))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            files = {
                REFERENCE_FILE: references,
                CERTIFICATE_FILE: certificate_in_words(card).encode(),
                MODEL_FILE: model,
                CARD_FILE: f"{card.model_dump_json(indent=2)}\n".encode(),
            }
            for name, raw in files.items():
                write_through(scratch / name, raw)
            # A model without its card is no encoder, and a card of another model is refused by its hash: whenever the
            # power goes, a device finds an old encoder, none, or the new one.
            (folder / CARD_FILE).unlink(missing_ok=True)
            for name in files:
                (scratch / name).replace(folder / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as err:
        raise BadConfig(f"--out: {folder} cannot be written: {err.strerror}; name another folder.") from None

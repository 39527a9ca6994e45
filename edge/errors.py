"""What can go wrong, and what to do about it.

::

    GoodpartError
    ├── Retry                 wait, go on, say it once
    │   ├── CameraLost
    │   ├── BrokerLost
    │   └── DiskFailed        the outbox's disk is full or faulty
    └── Refuse                say why, keep the last good one
        ├── BadConfig         a YAML file or a command-line value
        │   └── InUse         a file that another process has for itself
        ├── BadEncoder        an encoder.onnx or its card
        │   ├── BadSource     a factory, program or model name that gives no backbone
        │   │   └── Untraceable   a backbone whose path depends on the picture
        │   ├── BadWeights    a checkpoint that cannot be read or does not fit
        │   └── BadTaps       a layer that does not exist or has no features at places of the picture
        ├── BadRecipe         a recipe folder
        ├── BadOutbox         an outbox file that is damaged or no outbox
        ├── BadLedger         a ledger of taught parts that is damaged or was altered
        ├── BadPicture        a file that is no usable picture; carries the Reason of the verdict
        ├── NotTaught         a part that cannot be taught or taken back
        ├── BadCommand        a message or file that is no command, or cannot be signed
        └── TooFewGoods       not enough good parts for what was promised

Every message is one sentence that names the key, file or topic and the mend; it is shown to people as it is.
"""

from edge.types import Reason


class GoodpartError(Exception):
    """Root of all errors raised on purpose."""


class Retry(GoodpartError):
    """The outside world is away; it may come back."""


class CameraLost(Retry):
    """The camera gives no picture."""


class BrokerLost(Retry):
    """The MQTT broker does not answer."""


class DiskFailed(Retry):
    """The disk does not take what the outbox must write; nothing of the change is on it."""


class Refuse(GoodpartError):
    """What was given cannot be used, and waiting will not help."""


class BadConfig(Refuse):
    """A configuration key is unknown, missing, of the wrong type or out of range."""


class InUse(BadConfig):
    """Another process has a file that only one may have."""


class BadEncoder(Refuse):
    """An encoder does not match its card or cannot be opened."""


class BadSource(BadEncoder):
    """What was named does not give a torch backbone for pictures."""


class Untraceable(BadSource):
    """torch.export cannot write the backbone down as one graph."""


class BadWeights(BadEncoder):
    """A checkpoint cannot be read safely, does not fit its backbone, or holds NaN."""


class BadTaps(BadEncoder):
    """A tapped layer does not exist, or its output has no places of the picture."""


class BadRecipe(Refuse):
    """A recipe is incomplete, altered, or from another version."""


class BadOutbox(Refuse):
    """An outbox file is damaged, or is no outbox of this version."""


class BadLedger(Refuse):
    """A ledger of taught parts is damaged or was altered."""


class NotTaught(Refuse):
    """A part cannot be taught or taken back, and nothing has changed."""


class BadPicture(Refuse):
    """A file is not a picture that can be judged; `reason` is the code its verdict carries."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class BadCommand(Refuse):
    """A message or file is no command, or a key cannot sign it."""


class TooFewGoods(Refuse):
    """There are too few good parts for the guarantee that was asked for."""

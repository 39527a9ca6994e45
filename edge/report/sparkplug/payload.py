"""Sparkplug B payloads as bytes: the fields of the protobuf message that an edge node like ours needs, and no others.

Numbers and types of the fields are those of the Sparkplug specification 3.0.0, section 6.4.1, so every implementation reads
what is written here; fields that are not named here are skipped when reading, as protobuf asks. The message is described in
words of our own, since the schema file of Eclipse Tahu has another licence than this program (EPL-2.0).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

Value = int | float | bool | str | None


class Kind(IntEnum):
    """Sparkplug's numbers for the types of values (specification 3.0.0, section 6.4.16)."""

    INT64 = 4
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


@dataclass(frozen=True, slots=True)
class Metric:
    """One value at one time. at_ms: milliseconds since 1970, UTC; value None: known to be unknown."""

    name: str
    kind: Kind
    value: Value
    at_ms: int
    alias: int | None = None
    historical: bool = False


_UINT32, _UINT64 = FieldDescriptorProto.TYPE_UINT32, FieldDescriptorProto.TYPE_UINT64
_BOOL, _STRING, _DOUBLE = FieldDescriptorProto.TYPE_BOOL, FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_DOUBLE

_METRIC_FIELDS = (
    ("name", 1, _STRING),
    ("alias", 2, _UINT64),
    ("timestamp", 3, _UINT64),
    ("datatype", 4, _UINT32),
    ("is_historical", 5, _BOOL),
    ("is_null", 7, _BOOL),
)
_VALUE_FIELDS = (
    ("long_value", 11, _UINT64),
    ("double_value", 13, _DOUBLE),
    ("boolean_value", 14, _BOOL),
    ("string_value", 15, _STRING),
)
_FIELD_OF = {
    Kind.INT64: "long_value",
    Kind.DOUBLE: "double_value",
    Kind.BOOLEAN: "boolean_value",
    Kind.STRING: "string_value",
}


def _describe() -> FileDescriptorProto:
    file = FileDescriptorProto(name="goodpart/sparkplug_b.proto", package="goodpart.sparkplug_b", syntax="proto2")
    optional = FieldDescriptorProto.LABEL_OPTIONAL
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in _METRIC_FIELDS:
        metric.field.add(name=name, number=number, type=kind, label=optional)
    for name, number, kind in _VALUE_FIELDS:
        metric.field.add(name=name, number=number, type=kind, label=optional, oneof_index=0)
    payload = file.message_type.add(name="Payload")
    payload.field.add(name="timestamp", number=1, type=_UINT64, label=optional)
    payload.field.add(
        name="metrics",
        number=2,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=".goodpart.sparkplug_b.Metric",
        label=FieldDescriptorProto.LABEL_REPEATED,
    )
    payload.field.add(name="seq", number=3, type=_UINT64, label=optional)
    return file


# A pool of its own: the usual one is shared by everything in the process.
_POOL = DescriptorPool()
_POOL.Add(_describe())
_Payload = GetMessageClass(_POOL.FindMessageTypeByName("goodpart.sparkplug_b.Payload"))


def encode(metrics: Sequence[Metric], *, sent_ms: int, seq: int | None, birth: bool) -> bytes:
    """The bytes of one message. seq: 0..255, or None for an NDEATH.

    birth: names, types and aliases are told, as births and deaths must; without it only aliases are, as data must
    (specification 3.0.0, payloads-alias-birth-requirement and payloads-alias-data-cmd-requirement).
    """
    payload = _Payload(timestamp=sent_ms, seq=seq)
    for metric in metrics:
        entry = payload.metrics.add(timestamp=metric.at_ms, alias=metric.alias)
        if birth:
            entry.name, entry.datatype = metric.name, metric.kind
        if metric.historical:
            entry.is_historical = True
        if metric.value is None:
            entry.is_null = True
        else:
            setattr(entry, _FIELD_OF[metric.kind], metric.value)
    return bytes(payload.SerializeToString())


def booleans(raw: bytes) -> dict[str, bool]:
    """The boolean metrics of a command, by name.

    Raises:
        ValueError: no Sparkplug B payload.
    """
    try:
        payload = _Payload.FromString(raw)
    except DecodeError as err:
        raise ValueError(str(err)) from None
    return {metric.name: metric.boolean_value for metric in payload.metrics if metric.HasField("boolean_value")}

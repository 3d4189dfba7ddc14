"""TensorBoard event files, read without TensorBoard."""

import struct


def logged(file):
    """Steps and values of each tag in an event file: records of length, checksum, event, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    data, place, found = file.read_bytes(), 0, {}
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        event = Event.FromString(data[place + 12 : place + 12 + length])
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
        place += length + 16
    return found

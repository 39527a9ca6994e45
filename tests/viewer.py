"""A viewer of the operator's page that is no browser: it hears the stream and fetches each new live picture.

python -m tests.viewer HOST PORT
"""

import http.client
import json
import sys

READY = "ready"


def main(host: str, port: int) -> None:
    stream, pictures = http.client.HTTPConnection(host, port), http.client.HTTPConnection(host, port)
    stream.request("GET", "/events")
    name, seq, ready = b"", None, False
    for line in stream.getresponse():
        if line.startswith(b"event: "):
            name = line[7:].strip()
        elif line.startswith(b"data: ") and name == b"now":
            now = json.loads(line[6:])
            if not ready:
                print(READY, flush=True)
                ready = True
            if now["pictured"] and now["seq"] != seq:
                seq = now["seq"]
                pictures.request("GET", "/live.jpg")
                pictures.getresponse().read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""The interface against the official JSON Schema of AsyncAPI 3.0, for whoever changes `edge.schema.asyncapi`:

npm pack @asyncapi/specs && tar xzf asyncapi-specs-*.tgz
goodpart schema --asyncapi | python -m tests.official_asyncapi 'package/schemas/3.0.0-without-$id.json'
"""

import json
import sys
from pathlib import Path

import yaml
from jsonschema import Draft7Validator


def main() -> None:
    document = yaml.safe_load(sys.stdin)
    official = Draft7Validator(json.loads(Path(sys.argv[1]).read_text()))
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in official.iter_errors(document)]
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()

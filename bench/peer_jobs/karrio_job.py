"""karrio's parse of a carrier's tracking answer: bytes to its tracking details, no state folded."""

import importlib
import json
import sys
import time
from pathlib import Path

import karrio.lib as lib

GIVEN = json.loads(sys.argv[1])
CARRIER, BODY, SECONDS = GIVEN["carrier"], Path(GIVEN["file"]).read_text(), GIVEN["seconds"]
parse = importlib.import_module(f"karrio.providers.{CARRIER}.tracking").parse_tracking_response
settings = importlib.import_module(f"karrio.mappers.{CARRIER}").Settings(
    **({"client_id": "x", "client_secret": "x"} if CARRIER == "ups" else {"api_key": "x", "secret_key": "x"})
)


def once():
    if CARRIER == "ups":
        answer = lib.Deserializable([("n", BODY)], lambda all_: [(number, lib.to_dict(one)) for number, one in all_])
    else:
        answer = lib.Deserializable(BODY, lib.to_dict)
    details, messages = parse(answer, settings)
    if messages or not details:
        raise RuntimeError(f"a good answer was not read: {messages}")
    return sum(len(one.events) for one in details)


def main():
    events = once()
    count = 0
    began = time.process_time()
    while time.process_time() - began < SECONDS:
        once()
        count += events
    print(json.dumps({"rate": count / (time.process_time() - began)}))


main()

"""pydifact over a file: the interchange with all its segments."""

import json
import sys
import time
from pathlib import Path

from pydifact.segmentcollection import Interchange

FILE = json.loads(sys.argv[1])["file"]


def main():
    data = Path(FILE).read_bytes()
    began = time.process_time()
    interchange = Interchange.from_str(data.decode("iso8859-1"))
    count = sum(1 for _ in interchange.segments)
    taken = time.process_time() - began
    if not count:
        raise RuntimeError("no segments")
    print(json.dumps({"rate": len(data) / 1e6 / taken}))


main()

"""pyx12's reader over a file: every segment, and the errors of its envelopes."""

import json
import sys
import time
from pathlib import Path

from pyx12.x12file import X12Reader

FILE = json.loads(sys.argv[1])["file"]


def main():
    size = 0
    began = time.process_time()
    reader = X12Reader(FILE)
    for segment in reader:
        size += len(segment)
    reader.cleanup()
    errors = reader.pop_errors()
    taken = time.process_time() - began
    if errors or not size:
        raise RuntimeError(f"a good file has errors: {errors}")
    print(json.dumps({"rate": Path(FILE).stat().st_size / 1e6 / taken}))


main()

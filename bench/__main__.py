"""`python -m bench [NAME …] [--quick] [--json]`: measure and print, floors and peers beside our figures."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from bench import machine
from bench.options import Options, Size
from bench.report import Report

BENCHES = (
    "intake", "apply", "peers", "mapping", "last_units", "latency", "scale", "memory", "outbound", "end_to_end",
    "catalogue", "edi", "parcels",
)  # fmt: skip
"""A module of this package each, with `run(options) -> Report`."""

PEERS = "TRUNKLINE_BENCH_PEERS"


def main() -> int:
    given = _parser().parse_args()
    unknown = sorted(set(given.names) - set(BENCHES))
    if unknown:
        print(f"no bench is called {unknown[0]}; known: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    size = Size.QUICK if given.quick else Size(given.size)
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-", dir=given.folder) as folder:
        options = Options(size, Path(folder), given.peers_python)
        host = machine.line(options.folder)
        if not given.json:
            print(f"{host}; size {size.value}\n", flush=True)
        reports = []
        for name in given.names or BENCHES:
            began = time.monotonic()
            report: Report = importlib.import_module(f"bench.{name}").run(options)
            reports.append(report)
            if not given.json:
                print(f"{report.as_text()}\n   ({time.monotonic() - began:.0f} s)\n", flush=True)
    if given.json:
        print(json.dumps({"machine": host, "size": size.value, "benches": [each.as_json() for each in reports]}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all when none is given")
    parser.add_argument(
        "--quick", action="store_true", help="smaller and fewer repetitions; for a look, not for figures"
    )
    parser.add_argument("--size", choices=[size.value for size in Size], default=Size.FULL.value)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--folder", help="where databases are made; the disk measured is the one it is on")
    parser.add_argument(
        "--peers-python",
        default=os.environ.get(PEERS, sys.executable),
        help=f"interpreter that has bench/requirements.lock installed (default ${PEERS}, then this one)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

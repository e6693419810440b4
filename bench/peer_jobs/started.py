"""Starts a job script with its argument taken from a file: a command line has a limit."""

import runpy
import sys
from pathlib import Path

script, given = sys.argv[1:]
sys.argv = [script, Path(given).read_text()]
runpy.run_path(str(Path(__file__).resolve().parent / script), run_name="__main__")

"""The command line of the library: `python -m ml cluster` and `python -m ml detect`.

Invariant: nothing is computed here. Commands read standard input, write standard output, and end with 0 (done),
2 (bad input or option) or 130 (interrupted).
"""

from __future__ import annotations

import argparse
import io
import os
import sys


def run(argv: list[str]) -> int:
    """Run the command named first, with the options after it."""
    parser = argparse.ArgumentParser(prog="python -m ml", description="The mathematics of Outcry on plain files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{cluster,detect}")
    # Each command has its own parser, so that loading one does not load the other's libraries.
    commands.add_parser("cluster", add_help=False, help="group short texts")
    commands.add_parser("detect", add_help=False, help="find outages in counts by minute")
    chosen, rest = parser.parse_known_args(argv)
    # Matrices here are small: a second thread waits more than it computes (3,000 texts a CPU-second became 15,000).
    # Read when numpy is loaded, which is below.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if chosen.command == "cluster":
        from ml.cluster_stream import main
    else:
        from ml.detect_stream import main
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            # The format is UTF-8 whatever the locale; bytes that are not stay visible to the command.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        code = main(rest, sys.stdin, sys.stdout, sys.stderr)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone. Give the interpreter somewhere to flush to, or it complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

"""`python -m tinytorch`: where you stand. `verify`: run every exercise's declarations."""

from __future__ import annotations

import argparse
import sys


def main(argv: list[str] | None = None) -> int:
    from tinytorch.course.status import status
    from tinytorch.course.verify import verify

    parser = argparse.ArgumentParser(prog="python -m tinytorch", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("status", help="modules, exercises, milestones and what is yours (default)")
    commands.add_parser("verify", help="stubs must fail, solutions pass, wrong answers be caught")
    chosen = parser.parse_args(argv).command
    if chosen == "verify":
        return 1 if verify() else 0
    print(status())
    return 0


if __name__ == "__main__":
    sys.exit(main())

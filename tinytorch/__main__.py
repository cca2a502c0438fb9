"""`python -m tinytorch`: where you stand; verify, mutate, milestone, export, import, accept."""

from __future__ import annotations

import argparse
import sys


def main(argv: list[str] | None = None) -> int:
    from tinytorch import milestones
    from tinytorch.course import accept, export, import_work, status
    from tinytorch.course.verify import verify

    parser = argparse.ArgumentParser(prog="python -m tinytorch", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("status", help="modules, exercises, milestones and what is yours (default)")
    commands.add_parser("verify", help="stubs must fail, solutions pass, wrong answers be caught")
    changed = commands.add_parser("mutate", help="small changes to solutions must not pass")
    changed.add_argument("names", nargs="*", help="exercises, files or modules; all without any")
    changed.add_argument("--changed", metavar="REVISION", default="", help="since then, in git")
    changed.add_argument("--jobs", type=int, default=2, help="processes side by side (2)")
    milestone = commands.add_parser("milestone", help="run one; fails below its floor")
    milestone.add_argument("name", choices=milestones.names())
    out = commands.add_parser("export", help="write your work and your own package to a zip")
    out.add_argument("path", nargs="?")
    back = commands.add_parser("import", help="bring exported work back; nothing of it is run")
    back.add_argument("path")
    commands.add_parser("accept", help="put what was imported in force, which runs it")
    chosen = parser.parse_args(argv)
    if chosen.command == "verify":
        return 1 if verify() else 0
    if chosen.command == "mutate":
        from tinytorch.course.mutate import mutate

        try:
            return 1 if mutate(chosen.names, chosen.changed, chosen.jobs) else 0
        except ValueError as error:
            parser.error(str(error))
    if chosen.command == "milestone":
        return 0 if milestones.load(chosen.name).run().passed else 1
    if chosen.command == "export":
        print(export(chosen.path))
    elif chosen.command == "import":
        print("\n".join(import_work(chosen.path)))
        print("None of this has run. `python -m tinytorch accept` puts it in force.")
    elif chosen.command == "accept":
        print("\n".join(accept()) or "There is nothing to accept.")
    else:
        print(status())
    return 0


if __name__ == "__main__":
    sys.exit(main())

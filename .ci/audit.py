"""Tell what pip-audit found, given its JSON: fail on a known hole, say in a line when no service could be asked."""

from __future__ import annotations

import json
import sys


def main() -> int:
    try:
        packages = json.load(sys.stdin)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    audited = [package for package in packages if "vulns" in package]
    holes = [(package, hole) for package in audited for hole in package["vulns"]]
    for package, hole in holes:
        mended = ", ".join(hole["fix_versions"]) or "nothing yet"
        print(f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}")
    if not audited:
        print("not audited: no advisory service within reach")
    else:
        print(f"{len(audited)} of {len(packages)} packages audited, {len(holes)} known holes")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())

"""Known vulnerabilities of everything installed, three-valued: found, none, or not known because nobody could be asked.

`python .ci/advisories.py REQUIREMENTS` runs pip-audit over locked requirements. A vulnerability fails. Where the advisory
service cannot be reached it says so, names how many packages went unaudited, and fails with `STRICT_ADVISORIES=1`
(set it where releases are made): no answer is never taken for a clean one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 3


def audit(requirements: Path) -> dict[str, Any]:
    """pip-audit's report over the locked requirements."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements)]
    command += ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"dependencies": []}
    return report


def judge(report: dict[str, Any]) -> tuple[int, list[str]]:
    """The verdict and what to say of it."""
    packages = report["dependencies"]
    lines = [
        f"{package['name']} {package['version']}: {advisory['id']}, fixed in {', '.join(advisory['fix_versions']) or 'none yet'}"
        for package in packages
        for advisory in package.get("vulns", [])
    ]
    unaudited = [package["name"] for package in packages if "skip_reason" in package]
    if lines:
        return VULNERABLE, lines
    if unaudited or not packages:
        asked = f"{len(unaudited)} of {len(packages)} packages" if packages else "nothing"
        return UNKNOWN, [
            f"UNKNOWN: the advisory service gave no answer about {asked}; ask again where it can be reached"
        ]
    return CLEAN, [f"{len(packages)} packages, no known vulnerability"]


def main() -> int:
    """Exit code: 0, or 1 when something is vulnerable, or nothing is known where that counts."""
    verdict, lines = judge(audit(Path(sys.argv[1])))
    print("\n".join(f"advisories: {line}" for line in lines))  # noqa: T201 - a command's output
    strict = os.environ.get("STRICT_ADVISORIES") == "1"
    return int(verdict == VULNERABLE or (verdict == UNKNOWN and strict))


if __name__ == "__main__":
    sys.exit(main())

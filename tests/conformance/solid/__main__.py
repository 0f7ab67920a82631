"""Asks both servers every requirement and writes docs/solid-conformance.md: --write.

Without ``--write`` it tells what fails. ``--only TEXT`` asks the cases whose name has the text,
``--side`` one server alone.
"""

from __future__ import annotations

import argparse
import sys
import traceback

from tests.conformance.solid.anchors import MISSING
from tests.conformance.solid.listing import PAGE, SIDES, all_cases, page
from tests.conformance.solid.servers import Servers


def main() -> int:
    """Run it all; 1 when this pod fails a requirement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--side", action="append", choices=SIDES)
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    servers = Servers()
    results: dict[tuple[str, str], str | None] = {}
    try:
        for side in options.side or SIDES:
            subject = servers(side)
            for each in all_cases():
                if options.only not in each.name:
                    continue
                results[each.name, side] = None
                try:
                    each.case(subject)
                except Exception as err:
                    told = str(err).splitlines()[0] if str(err) else type(err).__name__
                    results[each.name, side] = told[:300]
                    print(f"{side:9} {each.name}\n    {told[:300]}")
                    if options.trace:
                        traceback.print_exc()
    finally:
        servers.close()
    failed = {
        side: sum(v is not None for (_, s), v in results.items() if s == side) for side in SIDES
    }
    print(f"{len(results)} answers, failed: {failed}")
    if options.write:
        PAGE.write_text(page(results))
    return int(failed["commonpod"] > len(MISSING))


if __name__ == "__main__":
    sys.exit(main())

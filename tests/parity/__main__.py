"""Asks both servers every case and writes docs/parity.md: python -m tests.parity --write.

Without ``--write`` it tells what fails. ``--only TEXT`` asks the cases whose name has the text.
"""

from __future__ import annotations

import argparse
import sys
import traceback

from tests.parity.listing import PAGE, SIDES, all_cases, page
from tests.parity.servers import Servers


def main() -> int:
    """Run it all; 1 when a server does not stand as its cases are declared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--side", action="append", choices=SIDES)
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    servers = Servers()
    results: dict[tuple[str, str], bool] = {}
    surprises = 0
    try:
        for each in all_cases():
            if options.only not in each.name:
                continue
            for side in options.side or SIDES:
                try:
                    each.case(servers(side))
                    results[each.name, side] = True
                except Exception as err:
                    results[each.name, side] = False
                    last = traceback.extract_tb(err.__traceback__)
                    mine = [frame for frame in last if "/cases/" in frame.filename]
                    told = f"{type(err).__name__}: {err}"[:400]
                    line = f"{mine[-1].lineno}: {mine[-1].line}" if mine else ""
                    if each.why is None or side == "commonpod":
                        print(f"{side:9} {each.name}\n    {line}\n    {told}")
                    if options.trace:
                        traceback.print_exc()
                expected = side == "commonpod" or each.why is None
                surprises += results[each.name, side] is not expected
                if results[each.name, side] and not expected:
                    print(f"{side:9} {each.name}: does so too, though it is declared different")
    finally:
        servers.close()
    print(f"{len(results)} answers, {surprises} surprises")
    if options.write and not surprises:
        PAGE.write_text(page(results))
    return int(surprises > 0)


if __name__ == "__main__":
    sys.exit(main())

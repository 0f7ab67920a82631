"""``python -m server`` is the ``commonpod`` command."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line; imports leave little garbage, and looking for it takes 0.1 s."""
    gc.disable()
    from server import cli

    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()

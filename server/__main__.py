"""``python -m server`` is the ``commonpod`` command."""

from server.cli import main

main()

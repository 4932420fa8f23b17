"""The command line: the same program as that of ``cargo install``, with the words of this process."""

import sys

from . import _core


def main() -> None:
    """Run the command line and end with its exit status."""
    sys.exit(_core.cli(["relrv", *sys.argv[1:]]))

"""``python -m relrv`` is the command line."""

from ._cli import main

main()

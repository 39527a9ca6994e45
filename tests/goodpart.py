"""The command under its own name, where no environment has been made for it."""

import sys

from edge.cli import main

sys.argv[0] = "goodpart"
main()

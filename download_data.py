"""`gibswatch download` under the predecessor's name: its eight options, a picture a day."""

import sys

from gibswatch.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["download", *sys.argv[1:]]))

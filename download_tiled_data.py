"""`gibswatch download` of tiles as GIBS serves them, under the predecessor's name."""

import sys

from gibswatch.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["download", "--grid", "native", "--tiled-world", *sys.argv[1:]]))

"""`gibswatch split --by random` under the predecessor's name: its seed, its shares, its split."""

import sys

from gibswatch.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["split", "--by", "random", *sys.argv[1:]]))

"""``python -m gsfm``: the command line where the script ``gsfm`` is not on the path."""

from gsfm.cli import main

if __name__ == "__main__":
    main()

"""``python -m flows``: the command ``sim2real``, where it is not on the PATH."""

from flows.cli.app import main

if __name__ == "__main__":
    main()

"""Run the command line as `python -m holdfast`; must not hold any logic of its own."""

from holdfast.cli import main

if __name__ == "__main__":
    main()

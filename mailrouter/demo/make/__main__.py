"""`python -m mailrouter.demo.make FOLDER`: makes the sample mails anew into FOLDER (rules/samples of the checkout).

The signed container is taken as it was committed, because a new one would differ in every bit; `--container` makes it anew.
"""

import argparse
from importlib.resources import files
from pathlib import Path

from mailrouter.demo.make import letters, mails
from mailrouter.demo.make.container import container

CONTAINER = "municipality.asice"


def main() -> None:
    """Write every sample mail; expectations are written by hand and left alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--container", action="store_true", help="make the signed container anew")
    options = parser.parse_args()
    attached = {name: make() for name, make in letters.LETTERS.items()}
    signed = files("mailrouter.demo.make").joinpath(CONTAINER)
    if options.container:
        Path(str(signed)).write_bytes(container("Kiri 2-1-118.pdf", attached["municipality.pdf"]))
    attached[CONTAINER] = signed.read_bytes()
    made: dict[str, bytes] = {}
    for description in mails.descriptions():
        name = description["name"]
        made[name] = mails.mail(description, attached, made)
        (options.folder / f"{name}.eml").write_bytes(made[name])


if __name__ == "__main__":
    main()

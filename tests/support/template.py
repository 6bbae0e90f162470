"""`python -m tests.support.template PRODUCTS`: migrate the database of DATABASE_URL and load a small demo city."""

from __future__ import annotations

import sys


def fill(products: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from highstreet.twin.loader import load_demo

    load_demo(products=products, streets=False)


if __name__ == "__main__":
    fill(int(sys.argv[1]))

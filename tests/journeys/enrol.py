"""`python -m tests.journeys.enrol NAME` gives a user of a town a second factor and prints the app's secret."""

from __future__ import annotations

import sys

import django


def main(username: str) -> str:
    django.setup()
    from highstreet.people.accounts.models import User
    from highstreet.people.accounts.tests.support import enrol

    return enrol(User.objects.get(username=username))


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]))

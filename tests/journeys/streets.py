"""`python -m tests.journeys.streets`: lay the demo city's streets into the database of DATABASE_URL."""

from __future__ import annotations


def lay() -> None:
    import django

    django.setup()
    from highstreet.delivery.routing import actions as routing
    from highstreet.kernel.policy import THE_SYSTEM
    from highstreet.supply.organisations.reads import default_city
    from highstreet.twin.files import POA

    routing.load(actor=THE_SYSTEM, city_id=default_city().id, pbf_path=POA / "streets.osm.pbf")


if __name__ == "__main__":
    lay()

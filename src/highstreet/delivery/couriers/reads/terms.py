"""A city's rules, from its rows or the defaults."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from highstreet.supply.organisations import reads as organisations

from ..models import EarningRule, WorkRule
from ..rules import EarningTerms, WorkTerms


def work_terms(city_id: UUID) -> WorkTerms:
    """The city's rules of work."""
    row = WorkRule.objects.filter(city_id=city_id).first()
    if row is None:
        return WorkTerms()
    return WorkTerms(**{field.name: getattr(row, field.name) for field in fields(WorkTerms)})


def earning_terms(city_id: UUID, at: datetime) -> EarningTerms:
    """What the city's couriers earn at a time; without a rule, what the retailer's terms say of an order."""
    for starts_at, terms in _earning_rules(city_id):
        if starts_at <= at:
            return terms
    usual = organisations.terms(organisations.city(city_id).retailer_id)
    return EarningTerms(usual.courier_pay_base, usual.courier_pay_per_km)


@organisations.remembered
def _earning_rules(city_id: UUID) -> list[tuple[datetime, EarningTerms]]:
    """The latest first. A rule is added before it begins, so a minute's memory is early enough."""
    rows = EarningRule.objects.filter(city_id=city_id).order_by("-starts_at")
    return [
        (row.starts_at, EarningTerms(row.per_order, row.per_km, row.guarantee_hour, row.bonus_orders, row.bonus))
        for row in rows
    ]

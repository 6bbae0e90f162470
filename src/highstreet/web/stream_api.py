"""GET /streams: a token for one's own topics, for apps that are not pages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from highstreet.kernel import streams
from highstreet.kernel.api import Problem
from highstreet.kernel.policy import actor_of, route

router = Router(tags=["streams"])


class StreamOut(Schema):
    url: str
    topics: list[str]


@router.get("/streams", response={200: StreamOut, 401: Problem})
@route("shop.own")
def mine(request: HttpRequest) -> StreamOut:
    """The address of the caller's event stream: the courier's own, or the stores someone works at."""
    actor = actor_of(request)
    topics = [f"store:{store}" for store in sorted(actor.store_ids or ())]
    if actor.courier_id:
        topics.append(f"courier:{actor.courier_id}")
    if actor.customer_id:
        topics.append(f"customer:{actor.customer_id}")
    return StreamOut(url=f"{settings.STREAM_URL}/events?token={streams.token(topics, actor.sign_in)}", topics=topics)

"""What is answered when something broke: 503 while the database is away, which is nobody's mistake; else 500."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

from highstreet.kernel.api import problem
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import BUSY

RETRY_SECONDS = "2"


@route(PUBLIC)
def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: called for whatever a request raised, in a view or before one, while it is handled.

    A database that is starting or took too long (statement and lock timeouts, a deadlock) has undone what the request
    did. One that went away while it committed may have kept it. Either way it may be sent again with its key.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return defaults.server_error(request)
    if request.path.startswith("/api/"):
        answer: HttpResponse = problem(Refused(BUSY))
    else:
        # Without the request: who it is would be asked of the database.
        answer = HttpResponse(loader.get_template("503.html").render({}), status=503)
    answer["Retry-After"] = RETRY_SECONDS
    return answer

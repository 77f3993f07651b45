"""The measured part of the schema under Django and strawberry-django: the ORM, its query optimizer, ASGI. `serve.py PORT`."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django
import uvicorn
from django.conf import settings

address = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="of the bench",  # noqa: S106  nothing is signed
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.contenttypes", "strawberry_django", "registry"],
    ROOT_URLCONF="__main__",
    USE_TZ=True,
    TIME_ZONE="UTC",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": address.hostname, "PORT": address.port, "USER": address.username,
            "PASSWORD": address.password, "NAME": address.path.lstrip("/"), "OPTIONS": {"pool": {"min_size": 1, "max_size": 10}},
        }
    },
)  # fmt: skip
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  after the setup
from django.db.models import Q  # noqa: E402
from django.urls import path  # noqa: E402
from registry.models import RegistryNow, Session  # noqa: E402
from registry.schema import schema  # noqa: E402
from strawberry.django.views import GraphQLView  # noqa: E402


class View(GraphQLView):
    """The endpoint, which knows who asks. Django runs it in a thread, which costs less than its asynchronous kin."""

    def dispatch(self, request: Any, *more: Any, **rest: Any) -> Any:
        response = super().dispatch(request, *more, **rest)
        response["Content-Length"] = str(len(response.content))  # Django's middleware for it would go through a thread
        return response

    def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return {"request": request, "response": response, "account": account_of(token) if token else None}


def account_of(token: str) -> Any:
    """Whose session this is; nobody's where it ended, or rested too long for staff."""
    now = RegistryNow()
    session = (
        Session.objects.select_related("account")
        .filter(token_hash=hashlib.sha256(token.encode()).digest(), account__status="ACTIVE", ended_at=None, expires_at__gt=now)
        .filter(Q(account__role="EXPERT") | Q(used_at__gt=now - timedelta(minutes=30)))
        .first()
    )
    return session and session.account


urlpatterns = [path("graphql", View.as_view(schema=schema))]

if __name__ == "__main__":
    uvicorn.run(
        get_asgi_application(), host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="off", access_log=False,
        log_level="warning",
    )  # fmt: skip

"""What comes in a request, and how a handler looks."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from crdtqueue.api.models import BODY_BYTES_MAX
from crdtqueue.core.errors import Invalid

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


async def body(request: Request) -> bytes:
    """The request's body. Raises Invalid if it is larger than any request of ours."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_BYTES_MAX:
            raise Invalid(f"The request is larger than {BODY_BYTES_MAX // 1024} kB.")
    return bytes(data)

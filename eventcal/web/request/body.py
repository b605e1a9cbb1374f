"""The class of the requests, which reads a body when a view first uses the body."""

from io import BytesIO
from typing import IO

from flask import Request
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream

from eventcal.web.request.client_address import client_network
from eventcal.web.request.context import services


class BufferedRequest(Request):
    """A request whose body is completely received before a view or a parser gets it.

    No body is read before the route and its size limit are known, so that requests without permission are rejected
    without waiting for their bodies.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        """Return the body. Raises RequestEntityTooLarge, and all errors of `BodyReader.read`."""
        max_length = self.max_content_length
        source = get_input_stream(self.environ, max_content_length=max_length)
        # The handlers of an error that is raised below do not wait for the body again.
        self.__dict__["stream"] = BytesIO()
        if self.content_length is None and "HTTP_TRANSFER_ENCODING" not in self.environ:
            return BytesIO()
        return services().body_reader.read(
            source,
            self.environ,
            client=client_network(),
            length=self.content_length,
            max_length=max_length or 0,
        )

"""What schemathesis must know of sealed bodies: bytes that only the receiver reads, in and out."""

import schemathesis

SEALED = "application/vnd.rochdale.sealed"


@schemathesis.serializer(SEALED)
def seal(ctx, value):
    """Whatever is drawn is sent as bytes: none of it opens."""
    if isinstance(value, bytes):
        return value
    return value if hasattr(value, "to_bytes") and not isinstance(value, int) else str(value).encode()


@schemathesis.deserializer(SEALED)
def unseal(ctx, response):
    """A sealed answer is a string of bytes to everybody but its receiver."""
    return response.content.decode("latin-1")

"""A small REST client on one kept-alive connection."""

import http.client
import json


class ApiError(RuntimeError):
    pass


class Api:
    def __init__(self, port, token, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def raw(self, method, path, body=None):
        """The body of a successful answer, as it came."""
        payload = None if body is None else json.dumps(body).encode()
        try:
            self.connection.request(method, path, payload, self.headers)
            response = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # Between two uses the server may have closed an idle connection; nothing of this request was read.
            self.connection.close()
            self.connection.request(method, path, payload, self.headers)
            response = self.connection.getresponse()
        answer = response.read()
        if not 200 <= response.status < 300:
            raise ApiError(f"{method} {path} answered {response.status}: {answer[:300]!r}")
        return answer

    def get(self, path):
        return json.loads(self.raw("GET", path))

    def post(self, path, body):
        return json.loads(self.raw("POST", path, body))

    def patch(self, path, body):
        return json.loads(self.raw("PATCH", path, body))


def is_ready(port):
    """Whether /readyz answers 200; a server that does not listen yet is simply not ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
